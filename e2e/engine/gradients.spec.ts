import { expect, test } from '@playwright/test';
import type { LossSum } from '../../engine/engine.ts';
import { createNodeEvaluator, createNodeTrainer } from '../../engine/node.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { someBatch, someParameters, TINY, TINY_SEQUENCES } from './cases.ts';
import { openHarness } from './driver.ts';

/** Largest difference of a tensor's gradient, as a part of its largest element. fp32 sums in another order. */
const GRADIENT_TOLERANCE = 2e-5;
const LOSS_TOLERANCE = 1e-6;

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

for (const backend of ['wasm', 'webgpu'] as const) {
  for (const tied of [true, false]) {
    test(`${backend}: loss and gradients of a ${tied ? 'tied' : 'untied'} model are those of the server's engine`, async ({
      page,
    }) => {
      const config = { ...TINY, tieWordEmbeddings: tied };
      const options = { config, sequences: TINY_SEQUENCES };
      const parameters = someParameters(config);
      const batches = ['first', 'second'].map((label) => someBatch(config, TINY_SEQUENCES, label));
      const node = await createNodeTrainer({ ...options, intraOpThreads: 1 });
      await node.setParameters(parameters);

      const web = await openHarness(page);
      await web.createTrainer(await web.chooseBackend(backend), options);
      await web.setParameters(parameters);

      const expectClose = (actual: LossSum, expected: LossSum): void => {
        expect(actual.count).toBe(expected.count);
        expect(Math.abs(actual.sum / expected.sum - 1)).toBeLessThan(LOSS_TOLERANCE);
      };
      // Two rounds: the second shows what the first left in the accumulators.
      for (let round = 0; round < 2; round++) {
        for (const batch of batches) expectClose(await web.accumulate(batch), await node.accumulate(batch));
        const [actual, expected] = [await web.takeGradient(), await node.takeGradient()];
        expect(actual.length).toBe(expected.length);
        for (const { name, offset, size } of parameterLayout(config).parameters) {
          const wanted = expected.subarray(offset, offset + size);
          const difference = actual.subarray(offset, offset + size).map((value, i) => value - wanted[i]!);
          expect(largest(wanted), `${name} has a gradient`).toBeGreaterThan(1e-4);
          expect(largest(difference) / largest(wanted), name).toBeLessThan(GRADIENT_TOLERANCE);
        }
      }
      await expect(web.takeGradient()).rejects.toThrow('no gradient was accumulated');
      await web.dispose();
      await node.dispose();

      const evaluator = await createNodeEvaluator({ ...options, intraOpThreads: 1 });
      await evaluator.setParameters(parameters);
      await web.createEvaluator(await web.chooseBackend(backend), options);
      await web.setParameters(parameters);
      expectClose(await web.loss(batches[0]!), await evaluator.loss(batches[0]!));
      await evaluator.dispose();
    });
  }
}
