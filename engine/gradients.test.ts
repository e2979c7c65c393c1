import { describe, expect, test } from 'vitest';
import { createNodeEvaluator, createNodeTrainer } from './node.ts';
import { referenceGradient, referenceLoss } from './graph/reference.ts';
import { tfjsLossAndGradient } from './testing/tfjs-llama.ts';
import {
  countTargets,
  relativeErrors,
  tinyBatch,
  tinyConfig,
  tinyParameters,
  TINY_SEQUENCES,
} from './testing/tiny-model.ts';

/** fp32 against fp64, relative to a tensor's largest gradient. */
const GRADIENT_TOLERANCE = 2e-5;
const LOSS_TOLERANCE = 2e-6;

describe.each([true, false])('a model with every feature on, tied output: %s', (tied) => {
  const config = tinyConfig(tied);
  const parameters = tinyParameters(config);
  const batch = tinyBatch(config, 1);
  const count = countTargets(batch);
  const exact = Float64Array.from(parameters);

  test('loss and every gradient are those of central differences in double precision', async () => {
    const trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES });
    await trainer.setParameters(parameters);
    const loss = await trainer.accumulate(batch);
    expect(loss.count).toBe(count);
    expect(Math.abs(loss.sum / referenceLoss(config, exact, batch) - 1)).toBeLessThan(LOSS_TOLERANCE);
    const expected = referenceGradient(config, exact, batch).map((value) => value / count);
    const errors = relativeErrors(config, await trainer.takeGradient(), expected);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(GRADIENT_TOLERANCE);
    await trainer.dispose();
  });

  test('loss and every gradient are those of another autodiff library', async () => {
    const trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES });
    await trainer.setParameters(parameters);
    const loss = await trainer.accumulate(batch);
    const expected = tfjsLossAndGradient(config, parameters, batch);
    expect(Math.abs(loss.sum / expected.loss - 1)).toBeLessThan(LOSS_TOLERANCE);
    const errors = relativeErrors(
      config,
      await trainer.takeGradient(),
      expected.gradient.map((value) => value / count),
    );
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(GRADIENT_TOLERANCE);
    await trainer.dispose();
  });

  test('accumulated batches give the gradient of the mean over all their tokens, in any order', async () => {
    const other = tinyBatch(config, 2);
    const trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES });
    await trainer.setParameters(parameters);
    const gradients: Float32Array[] = [];
    for (const batches of [[batch, other], [other, batch], [batch], [other]]) {
      for (const each of batches) await trainer.accumulate(each);
      gradients.push(await trainer.takeGradient());
    }
    const [both, swapped, first, second] = gradients as [Float32Array, Float32Array, Float32Array, Float32Array];
    const total = count + countTargets(other);
    const expected = first.map((value, i) => (value * count + second[i]! * countTargets(other)) / total);
    for (const gradient of [both, swapped]) {
      for (const error of Object.values(relativeErrors(config, gradient, expected))) expect(error).toBeLessThan(1e-5);
    }
    await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
    await trainer.dispose();
  });

  test('the evaluator gives the trainer’s loss, and a sequence’s loss does not depend on its neighbours', async () => {
    const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES });
    const single = await createNodeEvaluator({ config, sequences: 1 });
    await evaluator.setParameters(parameters);
    await single.setParameters(parameters);
    const whole = await evaluator.loss(batch);
    const parts = await Promise.all(
      [0, 1].map((i) => {
        const range = [i * config.contextLength, (i + 1) * config.contextLength] as const;
        return single.loss({
          sequences: 1,
          length: config.contextLength,
          tokens: batch.tokens.slice(...range),
          targets: batch.targets.slice(...range),
        });
      }),
    );
    expect(parts[0]!.sum + parts[1]!.sum).toBeCloseTo(whole.sum, 4);
    expect(parts[0]!.count + parts[1]!.count).toBe(whole.count);
    await evaluator.dispose();
    await single.dispose();
  });
});
