import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, test, type Page } from '@playwright/test';
import { parameterBytes } from '../../core/lockstep/parameters.ts';
import { applyOuterStep } from '../../core/lockstep/outer-step.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import type { OuterStep } from '../../core/scheme/scheme.ts';
import type { LossSum } from '../../engine/engine.ts';
import { createNodeEvaluator, createNodeTrainer } from '../../engine/node.ts';
import {
  delicateParameters,
  LEARNING_RATES,
  someBatch,
  someParameters,
  someSparseStep,
  someStep,
  TINY,
  TINY_SEQUENCES,
} from './cases.ts';
import { openHarness, type Harness } from './driver.ts';

/** Largest error of a tensor's gradient, as a part of its largest element: fp32 sums in another order. */
const GRADIENT_TOLERANCE = 2e-5;
const LOSS_TOLERANCE = 1e-6;

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function expectClose(actual: LossSum, expected: LossSum): void {
  expect(actual.count).toBe(expected.count);
  expect(Math.abs(actual.sum / expected.sum - 1)).toBeLessThan(LOSS_TOLERANCE);
}

for (const { backend, engine } of [
  { backend: 'wasm', engine: 'onnxruntime' },
  { backend: 'webgpu', engine: 'own' },
  { backend: 'webgpu', engine: 'onnxruntime' },
] as const) {
  test.describe(`the engine on ${backend}, ${engine} kernels`, () => {
    let page: Page;
    let web: Harness;

    // One worker for all: a device's shaders are compiled once, which in software takes longer than everything else.
    test.beforeAll(async ({ browser }) => {
      page = await browser.newPage();
      web = await openHarness(page);
    });
    test.afterAll(() => page.close());

    for (const tieWordEmbeddings of [true, false]) {
      test(`has the server engine's loss and gradients, ${tieWordEmbeddings ? 'tied' : 'untied'}`, async () => {
        const config = { ...TINY, tieWordEmbeddings };
        const options = { config, sequences: TINY_SEQUENCES, engine };
        const parameters = someParameters(config);
        const batches = ['first', 'second'].map((label) => someBatch(config, TINY_SEQUENCES, label));
        const node = await createNodeTrainer({ ...options, intraOpThreads: 1 });
        await node.setParameters(parameters);
        await web.createTrainer(await web.chooseBackend(backend), options);
        await web.setParameters(parameters);

        await web.accumulate(batches[1]!);
        await web.discardGradient();
        // The second round shows what the first left in the accumulators.
        for (let round = 0; round < 2; round++) {
          for (const batch of batches) expectClose(await web.accumulate(batch), await node.accumulate(batch));
          const [actual, expected] = [await web.takeGradient(), await node.takeGradient()];
          expect(actual.length).toBe(expected.length);
          for (const { name, offset, size } of parameterLayout(config).parameters) {
            const wanted = expected.subarray(offset, offset + size);
            const error = actual.subarray(offset, offset + size).map((value, i) => value - wanted[i]!);
            expect(largest(wanted), `${name} has a gradient`).toBeGreaterThan(1e-4);
            expect(largest(error) / largest(wanted), name).toBeLessThan(GRADIENT_TOLERANCE);
          }
        }
        await expect(web.takeGradient()).rejects.toThrow('no gradient was accumulated');
        await web.dispose();
        await node.dispose();
      });
    }

    test('evaluates as the server does, after steps that both took', async () => {
      const options = { config: TINY, sequences: TINY_SEQUENCES, engine };
      const batch = someBatch(TINY, TINY_SEQUENCES, 'evaluated');
      const node = await createNodeEvaluator({ ...options, intraOpThreads: 1 });
      await web.createEvaluator(await web.chooseBackend(backend), options);
      const losses: number[] = [];
      for (const engine of [node, web]) await engine.setParameters(someParameters(TINY));
      for (let i = 0; i < 3; i++) {
        const expected = await node.loss(batch);
        expectClose(await web.loss(batch), expected);
        losses.push(expected.sum);
        const step = someStep(parameterLayout(TINY).total, 0.01, `evaluated ${i}`);
        for (const engine of [node, web]) await engine.applyStep(step);
      }
      expect(new Set(losses).size, 'every step moved the loss').toBe(3);
      await web.dispose();
      await node.dispose();
    });

    test('applies steps bit for bit as core does', async () => {
      const { total } = parameterLayout(TINY);
      const expected = delicateParameters(total);
      await web.createEvaluator(await web.chooseBackend(backend), { config: TINY, sequences: TINY_SEQUENCES, engine });
      await web.setParameters(expected);
      const roots = new Set<string>();
      const vanished = { sign: 0, sparse: 0 };
      const steps: OuterStep[] = Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0
          ? someStep(total, LEARNING_RATES[(i / 2) % LEARNING_RATES.length]!, `step ${i}`)
          : someSparseStep(total, `step ${i}`),
      );
      for (const [i, step] of steps.entries()) {
        const before = expected.slice();
        applyOuterStep(expected, step);
        vanished[step.kind] += expected.filter((value, at) => value === 0 && before[at] !== 0).length;
        await web.applyStep(step);
        const root = bytesToHex(sha256(parameterBytes(expected)));
        roots.add(root);
        expect(bytesToHex(sha256(parameterBytes(await web.readParameters()))), `after step ${i}`).toBe(root);
      }
      expect(roots.size, 'every step moved something').toBe(20);
      // Most of what is delicate is so no longer when the first sign step has moved it.
      expect(vanished.sign, 'results of sign steps that became zero').toBeGreaterThan(100);
      expect(vanished.sparse, 'results of sparse steps that became zero').toBeGreaterThan(10);
      expect(parameterBytes(await web.readParameters())).toEqual(parameterBytes(expected));
      await web.dispose();
    });

    test('takes local steps as the server does, and the same outer steps bit for bit', async () => {
      const rules = { ...PRESETS.micro.schemes.sparseloco, outerLearningRate: 1 };
      const scheme = createScheme(rules, parameterLayout(TINY));
      const options = { config: TINY, sequences: TINY_SEQUENCES, engine };
      const node = await createNodeTrainer({ ...options, intraOpThreads: 1 });
      const compressor = await node.createCompressor(scheme);
      await web.createTrainer(await web.chooseBackend(backend), options);
      await web.createCompressor(rules, TINY);
      const expected = someParameters(TINY);
      for (const trainer of [node, web]) await trainer.setParameters(expected);

      for (let window = 0; window < 3; window++) {
        const bodies: Uint8Array[] = [];
        for (const [trainer, steps] of [
          [node, compressor],
          [web, web],
        ] as const) {
          await trainer.accumulate(someBatch(TINY, TINY_SEQUENCES, `given up ${window}`));
          await steps.localStep(window);
          await steps.discard();
          for (const label of ['first', 'second']) {
            await trainer.accumulate(someBatch(TINY, TINY_SEQUENCES, `${label} ${window}`));
            if (label === 'first') await steps.localStep(window);
          }
          bodies.push(await steps.compress(window));
          expect(parameterBytes(await trainer.readParameters()), 'the window’s parameters').toEqual(
            parameterBytes(expected),
          );
        }
        const deltas = bodies.map((body) => scheme.decodeBody(body));
        const [sent, others] = deltas.map(({ tensors }) => tensors.flatMap(({ indices }) => [...indices]));
        expect(sent!.filter((index, i) => index === others![i]).length / sent!.length).toBeGreaterThan(0.95);
        const step = scheme.outerStep(deltas, scheme.learningRate(window));
        const before = expected.slice();
        applyOuterStep(expected, step);
        expect(expected, 'the step moves something').not.toEqual(before);
        for (const trainer of [node, web]) {
          await trainer.applyStep(step);
          expect(bytesToHex(sha256(parameterBytes(await trainer.readParameters()))), `after window ${window}`).toBe(
            bytesToHex(sha256(parameterBytes(expected))),
          );
        }
      }
      await web.dispose();
      await node.dispose();
    });

    test('refuses bad input and goes on', async () => {
      const { total } = parameterLayout(TINY);
      const good = someBatch(TINY, TINY_SEQUENCES, 'good');
      await web.createEvaluator(await web.chooseBackend(backend), { config: TINY, sequences: TINY_SEQUENCES, engine });
      await web.setParameters(someParameters(TINY));
      const before = await web.loss(good);

      await expect(web.loss(someBatch(TINY, TINY_SEQUENCES + 1, 'more'))).rejects.toThrow(
        'a batch of 4 x 9 tokens, the engine is compiled for 3 x 9',
      );
      for (const id of [-1, TINY.vocabSize]) {
        const message = `position 5 holds an id outside the vocabulary of ${TINY.vocabSize}`;
        await expect(web.loss({ ...good, tokens: good.tokens.with(5, id) })).rejects.toThrow(message);
        await expect(web.loss({ ...good, targets: good.targets.with(5, id) })).rejects.toThrow(message);
      }
      await expect(web.setParameters(new Float32Array(total - 1))).rejects.toThrow('the model has');
      await expect(web.applyStep(someStep(total + 1, 0.01, 'longer'))).rejects.toThrow('step of');
      expect(await web.loss(good)).toEqual(before);

      await web.dispose();
      await expect(web.loss(good)).rejects.toThrow('the engine was disposed');
      await expect(web.readParameters()).rejects.toThrow('the engine was disposed');
      await expect(web.setParameters(someParameters(TINY))).rejects.toThrow('the engine was disposed');
      await expect(web.applyStep(someStep(total, 0.01, 'late'))).rejects.toThrow('the engine was disposed');
      // A second dispose has nothing left to free.
      await web.dispose();
    });

    if (backend === 'webgpu') {
      test('frees every buffer, and holds no more after many cycles than after one', async () => {
        const { total } = parameterLayout(TINY);
        const batch = someBatch(TINY, TINY_SEQUENCES, 'cycled');
        expect((await web.liveGpuBuffers()).own).toBe(0);
        await web.createTrainer(await web.chooseBackend(backend), { config: TINY, sequences: TINY_SEQUENCES, engine });
        await web.setParameters(someParameters(TINY));
        const cycle = async (i: number): Promise<void> => {
          await web.accumulate(batch);
          await web.takeGradient();
          await web.applyStep(someStep(total, 0.01, `cycle ${i}`));
          await web.readParameters();
        };
        // The runtime's own pool settles in the first ones.
        for (let i = 0; i < 3; i++) await cycle(i);
        const settled = await web.liveGpuBuffers();
        expect(settled.own).toBeGreaterThan(0);
        for (let i = 3; i < 10; i++) await cycle(i);
        expect(await web.liveGpuBuffers()).toEqual(settled);
        await web.dispose();
        expect((await web.liveGpuBuffers()).own).toBe(0);
        expect((await web.liveGpuBuffers()).all).toBeLessThanOrEqual(settled.all - settled.own);
      });
    } else {
      test('starts the threads it says it has', async () => {
        const report = await web.chooseBackend(backend);
        await web.createEvaluator(report, { config: TINY, sequences: TINY_SEQUENCES, engine });
        await web.dispose();
        expect(await web.isolated()).toBe(true);
        const cores = await page.evaluate(() => navigator.hardwareConcurrency);
        // The calling worker is one of the threads.
        expect(await web.threads()).toBe(Math.min(8, cores) - 1);
        expect(report.device).toContain(`WASM, ${Math.min(8, cores)} thread`);
      });
    }
  });
}
