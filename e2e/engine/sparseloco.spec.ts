import { expect, test, type Page } from '@playwright/test';
import { parameterLayout, type ParameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import type { SparseLocoParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { AT_VECTORS, decodeState, type LocalState } from '../../core/scheme/sparseloco/state.ts';
import { trainingMemory } from '../../engine/gpu/memory.ts';
import { TINY } from './cases.ts';
import {
  apart,
  expectWindow,
  gradientOf,
  largest,
  layoutOf,
  ODD,
  openCompressor,
  reversed,
  together,
  unevenGradient,
  type Compressor,
} from './compressor-cases.ts';

/** Everything that leaves a trace: a decay, a norm that is exceeded, and an error feedback that fades. */
const RULES: SparseLocoParameters = {
  ...PRESETS.micro.schemes.sparseloco,
  inner: {
    learningRate: 0.01,
    warmupWindows: 2,
    cosineWindows: 10,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    maxGradientNorm: 1,
    pagesPerStep: 1,
  },
  feedbackDecay: 0.95,
  chunk: 64,
  topK: 64,
  levels: 4,
};

const MODELS: readonly { name: string; layout: ParameterLayout; parameters: SparseLocoParameters }[] = [
  { name: 'odd shapes', layout: ODD, parameters: RULES },
  {
    name: 'small chunks, 16 levels',
    layout: layoutOf([12, 16], [6, 10], [24], [11]),
    parameters: { ...RULES, chunk: 8, topK: 6, levels: 16 },
  },
  {
    name: 'every value, 256 levels',
    layout: layoutOf([16, 32]),
    parameters: { ...RULES, topK: 4096, levels: 256, feedbackDecay: 0.5 },
  },
  { name: 'grouped queries', layout: parameterLayout(TINY), parameters: RULES },
  {
    name: 'micro',
    layout: parameterLayout(PRESETS.micro.model),
    parameters: PRESETS.micro.schemes.sparseloco,
  },
];

/** fp32 rounding of a step of AdamW, as a part of what it moves. */
const STEP_ROUNDING = 1e-5;
/** Of a parameter of at most one half, in each of its operations. */
const PARAMETER_ROUNDING = 2e-7;

function startOf(layout: ParameterLayout): Float32Array<ArrayBuffer> {
  return gradientOf(layout, 'start', 0.5);
}

function difference(a: Float32Array, b: Float32Array): number {
  return largest(Float32Array.from(a, (value, i) => value - b[i]!));
}

test.describe('SparseLoCo on WebGPU', () => {
  let page: Page;
  let gpu: Compressor;

  test.beforeAll(async ({ browser }) => {
    ({ page, gpu } = await openCompressor(browser));
  });
  test.afterEach(async () => expect(await gpu.dispose(), 'buffers that were not freed').toBe(0));
  test.afterAll(() => page.close());

  const stateOf = async (layout: ParameterLayout): Promise<LocalState> =>
    decodeState(await gpu.saveState(), layout.total);

  for (const model of MODELS) {
    const { layout, parameters } = model;
    const scheme = createScheme(parameters, layout);

    test(`steps and compresses as the reference does: ${model.name}`, async () => {
      const { stateBytes } = await gpu.create(parameters, layout.parameters, apart(layout));
      const reference = scheme.createContributor();
      expect(stateBytes).toBe(reference.stateBytes);
      const start = startOf(layout);
      await gpu.setParameters(start);
      const windows = [
        [gradientOf(layout, 'first', 4000), gradientOf(layout, 'second', 4000)].map((sum) => ({
          sum,
          scale: 1 / 4096,
        })),
        [{ sum: unevenGradient(layout), scale: 1 }],
        [gradientOf(layout, 'third', 1e-4), new Float32Array(layout.total)].map((sum) => ({ sum, scale: 1 })),
      ];
      for (const [window, steps] of windows.entries()) {
        const before = await gpu.saveState();
        reference.loadState(before);
        const wanted = start.slice();
        for (const { sum, scale } of steps) {
          reference.localStep!(
            wanted,
            sum.map((value) => value * scale),
            window,
          );
          await gpu.localStep(sum, window, scale);
        }
        const moved = await gpu.readParameters();
        const path = difference(wanted, start);
        expect(path, 'the steps moved the parameters').toBeGreaterThan(1e-4);
        expect(difference(moved, wanted)).toBeLessThan(STEP_ROUNDING * path + steps.length * PARAMETER_ROUNDING);

        const delta = start.map((value, i) => value - moved[i]!);
        const body = await gpu.compressSteps();
        expect(await gpu.readParameters(), 'the window’s parameters').toEqual(start);
        const expected = reference.compress(delta, scheme.learningRate(window));
        const after = await stateOf(layout);
        const feedback = decodeState(before, layout.total).feedback;
        const folded = delta.map((value, i) => parameters.feedbackDecay * feedback[i]! + value);
        expectWindow(model, folded, body, after.feedback);

        const other = decodeState(reference.saveState(), layout.total);
        expect(after.steps).toBe(other.steps);
        for (const moment of ['first', 'second'] as const) {
          expect(difference(after[moment], other[moment]), moment).toBeLessThan(1e-6 * largest(other[moment]));
        }

        expect(body).toHaveLength(scheme.bodyBytes);
        const scale = new DataView(expected.buffer).getFloat32(0, true);
        expect(Math.abs(new DataView(Uint8Array.from(body).buffer).getFloat32(0, true) / scale - 1)).toBeLessThan(1e-4);
        const [sent, reached] = [scheme.decodeBody(body), scheme.decodeBody(expected)];
        let compared = 0;
        let same = 0;
        sent.tensors.forEach(({ indices, values }, tensor) => {
          indices.forEach((index, i) => {
            // Where rounding decided between equals, `expectWindow` has looked.
            if (index !== reached.tensors[tensor]!.indices[i]) return;
            compared++;
            const value = reached.tensors[tensor]!.values[i]!;
            if (Math.abs(values[i]! - value) <= 1e-3 * Math.abs(value)) same++;
          });
        });
        expect(compared).toBeGreaterThan(0);
        // A value at the border of two bins may fall into either.
        expect(same / compared).toBeGreaterThan(0.99);
      }
    });
  }

  test('drifts no further from the reference than rounding takes it', async () => {
    const layout = parameterLayout(TINY);
    const scheme = createScheme(RULES, layout);
    const reference = scheme.createContributor();
    await gpu.create(RULES, layout.parameters, apart(layout));
    const start = startOf(layout);
    await gpu.setParameters(start);
    for (let window = 0; window < 6; window++) {
      const now = start.slice();
      for (let step = 0; step < 2; step++) {
        const gradient = gradientOf(layout, `window ${window}, step ${step}`);
        reference.localStep!(now, gradient, window);
        await gpu.localStep(gradient, window);
      }
      const delta = start.map((value, i) => value - now[i]!);
      reference.compress(delta, 1);
      await gpu.compressSteps();
    }
    const wanted = decodeState(reference.saveState(), layout.total);
    const actual = await stateOf(layout);
    expect(actual.steps).toBe(12);
    expect(difference(actual.first, wanted.first)).toBeLessThan(1e-5 * largest(wanted.first));
    // A value that is sent by the one and not by the other is left in the feedback of the other: few are.
    const far = actual.feedback.filter((value, i) => Math.abs(value - wanted.feedback[i]!) > 1e-5).length;
    expect(largest(wanted.feedback)).toBeGreaterThan(0.001);
    expect(far / layout.total).toBeLessThan(0.01);
  });

  test('gives the same bytes wherever the tensors lie, and the second time', async () => {
    const bodies: number[][] = [];
    const dispatches: number[] = [];
    for (const places of [apart, together, reversed]) {
      dispatches.push((await gpu.create(RULES, ODD.parameters, places(ODD))).dispatches);
      await gpu.setParameters(startOf(ODD));
      for (const label of ['first', 'second']) await gpu.localStep(gradientOf(ODD, label, 1e-4), 3);
      bodies.push([...(await gpu.compressSteps())]);
      expect([...(await gpu.readParameters())]).toEqual([...startOf(ODD)]);
      expect(await gpu.dispose()).toBe(0);
    }
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    // Five a run, of which those are fewer where tensors lie in order, and five for the message.
    expect(dispatches).toEqual([5 * 10 + 5, 5 * 8 + 5, 5 * 10 + 5]);
  });

  test('says nothing in one way', async () => {
    // Without a gradient and a decay nothing moves.
    const parameters = { ...RULES, inner: { ...RULES.inner, weightDecay: 0 } };
    const scheme = createScheme(parameters, ODD);
    await gpu.create(parameters, ODD.parameters, apart(ODD));
    await gpu.setParameters(startOf(ODD));
    const body = await gpu.compress(new Float32Array(ODD.total), 1);
    expect([...body]).toEqual([...scheme.createContributor().compress(new Float32Array(ODD.total), 1)]);
    expect(largest((await stateOf(ODD)).feedback)).toBe(0);
  });

  test('takes back what was not delivered, once, and puts back the parameters of a window that is given up', async () => {
    await gpu.create(RULES, ODD.parameters, together(ODD));
    const start = startOf(ODD);
    await gpu.setParameters(start);
    await gpu.localStep(gradientOf(ODD, 'first'), 1);
    const stepped = await gpu.saveState();
    await gpu.discard();
    expect([...(await gpu.readParameters())]).toEqual([...start]);
    expect(await gpu.saveState(), 'moments stay').toEqual(stepped);
    await gpu.discard();
    await expect(gpu.compressSteps()).rejects.toThrow('no gradient was accumulated');

    await gpu.compress(gradientOf(ODD, 'second'), 1);
    const { feedback: before } = await stateOf(ODD);
    await gpu.localStep(gradientOf(ODD, 'third'), 1);
    const now = await gpu.readParameters();
    await gpu.compressSteps();
    await gpu.undo();
    const undone = await gpu.saveState();
    const { feedback } = await stateOf(ODD);
    const wanted = before.map((value, i) => RULES.feedbackDecay * value + (start[i]! - now[i]!));
    expect(difference(feedback, wanted)).toBeLessThan(1e-6 * largest(wanted));
    await gpu.undo();
    expect(await gpu.saveState()).toEqual(undone);
  });

  test('takes the reference’s state, gives it the same bytes, and refuses what is none', async () => {
    const { total } = ODD;
    await gpu.create(RULES, ODD.parameters, apart(ODD));
    const reference = createScheme(RULES, ODD).createContributor();
    const now = startOf(ODD);
    reference.localStep!(now, gradientOf(ODD, 'first'), 1);
    reference.compress(
      startOf(ODD).map((value, i) => value - now[i]!),
      1,
    );
    const state = reference.saveState();
    await gpu.loadState(state);
    expect([...(await gpu.saveState())]).toEqual([...state]);
    const spoilt = state.slice();
    new DataView(spoilt.buffer).setFloat32(AT_VECTORS + 4 * (2 * total + 77), Infinity, true);
    for (const bytes of [state.slice(4), spoilt, new Uint8Array(0)]) {
      await expect(gpu.loadState(bytes)).rejects.toThrow('local optimiser');
    }
    expect([...(await gpu.saveState())]).toEqual([...state]);
  });

  test('refuses a gradient that is not finite, names the first such parameter, and changes nothing', async () => {
    await gpu.create(RULES, ODD.parameters, together(ODD));
    await gpu.setParameters(startOf(ODD));
    await gpu.localStep(gradientOf(ODD, 'first'), 1);
    const [state, parameters] = [await gpu.saveState(), await gpu.readParameters()];
    for (const [value, at] of [
      [NaN, 0],
      [Infinity, 4097],
      [-Infinity, ODD.total - 1],
      [3.4e38, ODD.parameters[5]!.offset],
    ] as const) {
      const gradient = gradientOf(ODD, 'spoilt');
      gradient[at] = value;
      gradient[ODD.total - 1] = value;
      await expect(gpu.localStep(gradient, 1)).rejects.toThrow(`the gradient of parameter ${at} is not a finite`);
      expect(await gpu.saveState()).toEqual(state);
      expect(await gpu.readParameters()).toEqual(parameters);
    }
    // The window goes on.
    await gpu.localStep(gradientOf(ODD, 'second'), 1);
    expect(await gpu.compressSteps()).toHaveLength(createScheme(RULES, ODD).bodyBytes);

    // Parameters that a step has made infinite are no pseudo-gradient.
    await gpu.localStep(gradientOf(ODD, 'third'), 1);
    const before = await gpu.saveState();
    await gpu.setParameters(startOf(ODD).with(8192, Infinity));
    await expect(gpu.compressSteps()).rejects.toThrow('the pseudo-gradient of parameter 8192 ');
    expect(await gpu.saveState()).toEqual(before);
    expect([...(await gpu.readParameters())]).toEqual([...startOf(ODD)]);
  });

  test('holds what the planner says, and no more after many windows than after one', async () => {
    const { model: config, schemes } = PRESETS.micro;
    const layout = parameterLayout(config);
    const shape = { sequences: 1, recompute: false, precision: 'fp32' } as const;
    const [summed, local] = [schemes['decoupled-momentum'], schemes.sparseloco];
    const { bytes: least } = await gpu.create(summed, layout.parameters, apart(layout));
    await gpu.dispose();
    const { bytes } = await gpu.create(local, layout.parameters, apart(layout));
    const [planned, plannedLeast] = [local, summed].map(
      ({ name }) => trainingMemory({ config, scheme: name }, shape).optimiser,
    );
    expect(bytes).toBeGreaterThanOrEqual(planned!);
    // Beside the vectors, either holds a window's message.
    expect(Math.abs(bytes - least - (planned! - plannedLeast!))).toBeLessThan(0.1 * planned!);
    const live = await gpu.buffers();
    for (let window = 0; window < 20; window++) {
      await gpu.compress(gradientOf(layout, `window ${window}`), 1);
      expect(await gpu.buffers()).toBe(live);
    }
  });
});
