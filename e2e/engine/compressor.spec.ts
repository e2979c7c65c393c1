import { expect, test, type Page } from '@playwright/test';
import { parameterLayout, type ParameterLayout } from '../../core/model/layout.ts';
import { PRESETS, REFERENCE_DECOUPLED_MOMENTUM } from '../../core/model/presets.ts';
import type { DecoupledMomentumParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { AT_MOMENTUM } from '../../core/scheme/decoupled-momentum/state.ts';
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
  ROUNDING,
  together,
  unevenGradient,
  type Compressor,
} from './compressor-cases.ts';

const REFERENCE = REFERENCE_DECOUPLED_MOMENTUM;

const MODELS: readonly { name: string; layout: ParameterLayout; parameters: DecoupledMomentumParameters }[] = [
  { name: 'odd shapes', layout: ODD, parameters: REFERENCE },
  {
    name: 'small chunks',
    layout: layoutOf([12, 16], [6, 10], [24], [11]),
    parameters: { ...REFERENCE, chunk: 8, topK: 6 },
  },
  { name: 'every coefficient', layout: layoutOf([16, 32]), parameters: { ...REFERENCE, topK: 4096, momentum: 0.5 } },
  { name: 'grouped queries', layout: parameterLayout(TINY), parameters: REFERENCE },
  {
    name: 'micro',
    layout: parameterLayout(PRESETS.micro.model),
    parameters: PRESETS.micro.schemes['decoupled-momentum'],
  },
];

function momentumOf(state: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(state.slice(AT_MOMENTUM).buffer);
}

test.describe('the compressor on WebGPU', () => {
  let page: Page;
  let gpu: Compressor;

  test.beforeAll(async ({ browser }) => {
    ({ page, gpu } = await openCompressor(browser));
  });
  test.afterEach(async () => expect(await gpu.dispose(), 'buffers that were not freed').toBe(0));
  test.afterAll(() => page.close());

  const fold = (before: Float32Array, gradient: Float32Array, decay: number, step: number): Float32Array =>
    before.map((value, i) => decay * value + step * gradient[i]!);

  for (const model of MODELS) {
    const { layout, parameters } = model;
    const scheme = createScheme(parameters, layout);

    test(`compresses as the reference does: ${model.name}`, async () => {
      const { stateBytes } = await gpu.create(parameters, layout.parameters, apart(layout));
      const reference = scheme.createContributor();
      expect(stateBytes).toBe(reference.stateBytes);
      const windows = [
        { gradient: gradientOf(layout, 'first'), rate: 0.01, scale: 1 },
        { gradient: gradientOf(layout, 'second', 4000), rate: 0.02, scale: 1 / 4096 },
        { gradient: unevenGradient(layout), rate: 1, scale: 1 },
        { gradient: new Float32Array(layout.total), rate: 0.01, scale: 1 },
      ];
      for (const { gradient, rate, scale } of windows) {
        const before = await gpu.saveState();
        reference.loadState(before);
        const body = await gpu.compress(gradient, rate, scale);
        const expected = reference.compress(
          gradient.map((value) => value * scale),
          rate,
        );
        const after = momentumOf(await gpu.saveState());
        expectWindow(model, fold(momentumOf(before), gradient, parameters.momentum, rate * scale), body, after);

        expect(body).toHaveLength(scheme.bodyBytes);
        const [shift, width] = [0, 4].map((at) => new DataView(expected.buffer).getFloat32(at, true));
        const view = new DataView(Uint8Array.from(body).buffer);
        expect(Math.abs(view.getFloat32(0, true) - shift!)).toBeLessThan(ROUNDING);
        expect(Math.abs(view.getFloat32(4, true) / width! - 1)).toBeLessThan(1e-3);
        const [actual, wanted] = [scheme.decodeBody(body), scheme.decodeBody(expected)];
        let compared = 0;
        actual.tensors.forEach(({ indices, values }, tensor) => {
          const other = wanted.tensors[tensor]!;
          indices.forEach((index, i) => {
            // Where rounding decided between equals, `expectWindow` has looked.
            if (index !== other.indices[i]) return;
            compared++;
            expect(Math.abs(values[i]! - other.values[i]!)).toBeLessThan(1.1 * width!);
          });
        });
        expect(compared).toBeGreaterThan(0);
      }
    });
  }

  test('drifts no further from the reference than rounding takes it', async () => {
    const layout = parameterLayout(TINY);
    const reference = createScheme(REFERENCE, layout).createContributor();
    await gpu.create(REFERENCE, layout.parameters, apart(layout));
    for (let window = 0; window < 8; window++) {
      const gradient = gradientOf(layout, `window ${window}`);
      await gpu.compress(gradient, 0.01);
      reference.compress(gradient, 0.01);
    }
    const wanted = momentumOf(reference.saveState());
    const error = momentumOf(await gpu.saveState()).map((value, i) => value - wanted[i]!);
    expect(largest(wanted)).toBeGreaterThan(0.01);
    // A value at the border of two bins may fall into either.
    expect(largest(error) / largest(wanted)).toBeLessThan(5e-3);
  });

  test('gives the same bytes wherever the gradients lie, and the second time', async () => {
    const bodies: number[][] = [];
    const dispatches: number[] = [];
    for (const places of [apart, together, reversed]) {
      dispatches.push((await gpu.create(REFERENCE, ODD.parameters, places(ODD))).dispatches);
      await gpu.compress(gradientOf(ODD, 'first'), 0.01);
      bodies.push([...(await gpu.compress(gradientOf(ODD, 'second'), 0.01))]);
      expect(await gpu.dispose()).toBe(0);
    }
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    // The first two tensors and the two equal vectors run as one where they lie in order.
    expect(dispatches).toEqual([3 * 10 + 5, 3 * 8 + 5, 3 * 10 + 5]);
  });

  test('keeps the first of equal coefficients', async () => {
    const layout = layoutOf([4, 2], [64, 64]);
    const parameters = { ...REFERENCE, chunk: 2, topK: 2 };
    await gpu.create(parameters, layout.parameters, apart(layout));
    const gradient = new Float32Array(layout.total);
    gradient[0] = 1;
    const { tensors } = createScheme(parameters, layout).decodeBody(await gpu.compress(gradient, 1));
    for (const { indices } of tensors) for (let i = 0; i < indices.length; i++) expect(indices[i]).toBe(i % 2);
    expect([...tensors[0]!.values.subarray(2)]).toEqual([0, 0]);
    expect(new Set(tensors[1]!.values)).toEqual(new Set([0]));
  });

  test('sends zeros when there is nothing to send', async () => {
    const scheme = createScheme(REFERENCE, ODD);
    await gpu.create(REFERENCE, ODD.parameters, apart(ODD));
    const body = await gpu.compress(new Float32Array(ODD.total), 0.01);
    const expected = scheme.createContributor().compress(new Float32Array(ODD.total), 0.01);
    expect(scheme.decodeBody(body).tensors).toEqual(scheme.decodeBody(expected).tensors);
    expect(largest(momentumOf(await gpu.saveState()))).toBe(0);
  });

  test('measures what is too small or too large to be squared', async () => {
    const layout = layoutOf([64, 64], [24]);
    const model = { layout, parameters: REFERENCE };
    await gpu.create(REFERENCE, layout.parameters, apart(layout));
    for (const size of [1e-32, 1e-25, 1e25, 9e29]) {
      const empty = createScheme(REFERENCE, layout).createContributor().saveState();
      await gpu.loadState(empty);
      const gradient = gradientOf(layout, 'extreme', size);
      const body = await gpu.compress(gradient, 1);
      expectWindow(model, gradient, body, momentumOf(await gpu.saveState()));
    }
  });

  test('has room for more chunks than workgroups fit along an axis', async () => {
    // A prime number, so a chunk an element.
    const layout = layoutOf([65_537]);
    const scheme = createScheme(REFERENCE, layout);
    await gpu.create(REFERENCE, layout.parameters, apart(layout));
    const gradient = gradientOf(layout, 'many');
    const { tensors } = scheme.decodeBody(await gpu.compress(gradient, 0.01));
    const wrong = tensors[0]!.values.findIndex((value, i) => Math.abs(value - Math.sign(gradient[i]!)) > 1e-2);
    expect(wrong).toBe(-1);
    expect(largest(momentumOf(await gpu.saveState()))).toBeLessThan(1e-4);
  });

  test('takes back what was not delivered, once', async () => {
    await gpu.create(REFERENCE, ODD.parameters, together(ODD));
    const untouched = await gpu.saveState();
    await gpu.undo();
    expect(await gpu.saveState()).toEqual(untouched);

    const gradients = [gradientOf(ODD, 'first'), gradientOf(ODD, 'second')] as const;
    await gpu.compress(gradients[0], 0.01);
    const before = await gpu.saveState();
    await gpu.compress(gradients[1], 0.01);
    // A refusal is no message.
    await expect(gpu.compress(new Float32Array(ODD.total).fill(NaN), 0.01)).rejects.toThrow('parameter 0 ');
    await gpu.undo();
    const undone = await gpu.saveState();
    const wanted = fold(momentumOf(before), gradients[1], REFERENCE.momentum, 0.01);
    const error = momentumOf(undone).map((value, i) => value - wanted[i]!);
    expect(largest(error) / largest(wanted)).toBeLessThan(1e-6);
    await gpu.undo();
    expect(await gpu.saveState()).toEqual(undone);

    await gpu.compress(gradients[0], 0.01);
    await gpu.loadState(before);
    await gpu.undo();
    expect(await gpu.saveState()).toEqual(before);
  });

  test('refuses what is not a state of the model, and takes the reference’s', async () => {
    await gpu.create(REFERENCE, ODD.parameters, apart(ODD));
    const reference = createScheme(REFERENCE, ODD).createContributor();
    reference.compress(gradientOf(ODD, 'first'), 0.01);
    const state = reference.saveState();
    await gpu.loadState(state);
    expect([...(await gpu.saveState())]).toEqual([...state]);
    const spoilt = state.slice();
    new DataView(spoilt.buffer).setFloat32(AT_MOMENTUM + 4 * 77, Infinity, true);
    for (const bytes of [state.slice(4), spoilt, new Uint8Array(0)]) {
      await expect(gpu.loadState(bytes)).rejects.toThrow('momentum');
    }
    expect([...(await gpu.saveState())]).toEqual([...state]);
  });

  test('refuses a gradient that is not finite, and names the first such parameter', async () => {
    await gpu.create(REFERENCE, ODD.parameters, together(ODD));
    await gpu.compress(gradientOf(ODD, 'first'), 0.01);
    const before = await gpu.saveState();
    const cases = [
      [NaN, 0],
      [Infinity, 4097],
      [-Infinity, ODD.total - 1],
      [3.4e38, ODD.parameters[5]!.offset],
      [-1.01e32, 8192],
    ] as const;
    for (const [value, at] of cases) {
      const gradient = gradientOf(ODD, 'spoilt');
      gradient[at] = value;
      gradient[ODD.total - 1] = value;
      await expect(gpu.compress(gradient, 0.01)).rejects.toThrow(`the gradient of parameter ${at} is not a finite`);
      expect(await gpu.saveState()).toEqual(before);
    }
    // Just within the bound, and the device still works.
    const gradient = gradientOf(ODD, 'spoilt');
    gradient[5] = 9.9e31;
    expect(await gpu.compress(gradient, 0.01)).toHaveLength(createScheme(REFERENCE, ODD).bodyBytes);
  });
});
