import { describe, expect, onTestFinished, test } from 'vitest';
import { createNodeEvaluator, createNodeTrainer } from './node.ts';
import { IGNORED_TARGET, type Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { parameterLayout } from '../core/model/layout.ts';
import type { EngineOptions, Trainer } from './engine.ts';
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
/** Thousands of forward passes in plain loops: seconds alone, many more on a busy machine. */
const DIFFERENCES_MS = 180_000;

async function trainerOf(
  config: ModelConfig,
  parameters: Float32Array,
  options: Partial<EngineOptions> = {},
): Promise<Trainer> {
  const trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1, ...options });
  onTestFinished(() => trainer.dispose());
  await trainer.setParameters(parameters);
  return trainer;
}

/** The batch with only those targets that `counts` picks. */
function masked(batch: Batch, counts: (position: number) => boolean): Batch {
  return { ...batch, targets: batch.targets.map((target, i) => (counts(i) ? target : IGNORED_TARGET)) };
}

function expectGradient(
  config: ModelConfig,
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance = GRADIENT_TOLERANCE,
): void {
  const errors = Object.entries(relativeErrors(config, actual, expected));
  expect(errors).toHaveLength(parameterLayout(config).parameters.length);
  for (const [name, error] of errors) expect(error, name).toBeLessThan(tolerance);
}

test('the oracle: a model that knows nothing is wrong by the logarithm of its vocabulary', () => {
  const config = tinyConfig(true);
  const batch = tinyBatch(config, 1);
  const loss = referenceLoss(config, new Float64Array(parameterLayout(config).total), batch);
  expect(loss).toBeCloseTo(countTargets(batch) * Math.log(config.vocabSize), 10);
});

describe.each([true, false])('a model with every feature on, tied output: %s', (tied) => {
  const config = tinyConfig(tied);
  const parameters = tinyParameters(config);
  const batch = tinyBatch(config, 1);
  const count = countTargets(batch);
  const exact = Float64Array.from(parameters);

  test(
    'loss and every gradient are those of central differences in double precision',
    async () => {
      const trainer = await trainerOf(config, parameters);
      const loss = await trainer.accumulate(batch);
      expect(loss.count).toBe(count);
      expect(Math.abs(loss.sum / referenceLoss(config, exact, batch) - 1)).toBeLessThan(LOSS_TOLERANCE);
      const expected = referenceGradient(config, exact, batch).map((value) => value / count);
      expectGradient(config, await trainer.takeGradient(), expected);
    },
    DIFFERENCES_MS,
  );

  test('loss and every gradient are those of another autodiff library', async () => {
    const trainer = await trainerOf(config, parameters);
    const loss = await trainer.accumulate(batch);
    const expected = tfjsLossAndGradient(config, parameters, batch);
    expect(Math.abs(loss.sum / expected.loss - 1)).toBeLessThan(LOSS_TOLERANCE);
    expectGradient(
      config,
      await trainer.takeGradient(),
      expected.gradient.map((value) => value / count),
    );
  });

  test('accumulated batches give the gradient of the mean over all their tokens, in any order', async () => {
    // Fewer targets than the first: a mean of the batches' means would be another gradient.
    const other = masked(tinyBatch(config, 2), (i) => i < 5);
    const otherCount = countTargets(other);
    expect(otherCount).toBeLessThan(count);
    const trainer = await trainerOf(config, parameters);
    const gradients: Float32Array[] = [];
    for (const batches of [[batch, other], [other, batch], [batch], [other]]) {
      for (const each of batches) await trainer.accumulate(each);
      gradients.push(await trainer.takeGradient());
    }
    const [both, swapped, first, second] = gradients as [Float32Array, Float32Array, Float32Array, Float32Array];
    const expected = first.map((value, i) => (value * count + second[i]! * otherCount) / (count + otherCount));
    for (const gradient of [both, swapped]) expectGradient(config, gradient, expected, 1e-5);
  });

  test('taking the gradient leaves nothing behind', async () => {
    const trainer = await trainerOf(config, parameters);
    await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
    await trainer.accumulate(batch);
    const once = await trainer.takeGradient();
    const kept = once.slice();
    await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
    await trainer.accumulate(batch);
    expect(await trainer.takeGradient()).toEqual(once);
    expect(once).toEqual(kept);
  });

  test('ignored targets contribute nothing: the parts of a batch add up to it', async () => {
    const trainer = await trainerOf(config, parameters);
    const parts = [masked(batch, (i) => i % 3 === 0), masked(batch, (i) => i % 3 !== 0)];
    const whole = await trainer.accumulate(batch);
    const expected = await trainer.takeGradient();
    let sum = 0;
    const added = new Float64Array(parameters.length);
    for (const part of parts) {
      const loss = await trainer.accumulate(part);
      expect(loss.count).toBe(countTargets(part));
      sum += loss.sum;
      for (const [i, value] of (await trainer.takeGradient()).entries()) added[i]! += (value * loss.count) / count;
    }
    expect(Math.abs(sum / whole.sum - 1)).toBeLessThan(LOSS_TOLERANCE);
    expectGradient(config, expected, added, 1e-5);
  });

  test('a batch without targets has no loss and no gradient', async () => {
    const trainer = await trainerOf(config, parameters);
    const empty = masked(tinyBatch(config, 2), () => false);
    expect(await trainer.accumulate(empty)).toEqual({ sum: 0, count: 0 });
    await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
    await trainer.accumulate(batch);
    const alone = await trainer.takeGradient();
    await trainer.accumulate(batch);
    await trainer.accumulate(empty);
    expect(await trainer.takeGradient()).toEqual(alone);
  });

  test('the evaluator gives the trainer’s loss', async () => {
    const trainer = await trainerOf(config, parameters);
    const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
    onTestFinished(() => evaluator.dispose());
    await evaluator.setParameters(parameters);
    const [evaluated, trained] = [await evaluator.loss(batch), await trainer.accumulate(batch)];
    expect(evaluated.count).toBe(trained.count);
    expect(Math.abs(evaluated.sum / trained.sum - 1)).toBeLessThan(LOSS_TOLERANCE);
  });

  test('a sequence’s loss does not depend on its neighbours', async () => {
    const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
    const single = await createNodeEvaluator({ config, sequences: 1, intraOpThreads: 1 });
    onTestFinished(async () => {
      await evaluator.dispose();
      await single.dispose();
    });
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
    expect(Math.abs((parts[0]!.sum + parts[1]!.sum) / whole.sum - 1)).toBeLessThan(LOSS_TOLERANCE);
    expect(parts[0]!.count + parts[1]!.count).toBe(whole.count);
  });
});

test.each([
  ['a head each for keys and values', { numKvHeads: 4 }],
  ['one head for all keys and values', { numKvHeads: 1 }],
  ['one layer', { numLayers: 1 }],
  ['an epsilon that matters', { rmsNormEps: 0.5 }],
])('%s: loss and gradients agree too', async (_name, change) => {
  const config = { ...tinyConfig(false), ...change };
  const parameters = tinyParameters(config);
  const batch = tinyBatch(config, 3);
  const trainer = await trainerOf(config, parameters);
  const loss = await trainer.accumulate(batch);
  const expected = tfjsLossAndGradient(config, parameters, batch);
  expect(Math.abs(loss.sum / referenceLoss(config, Float64Array.from(parameters), batch) - 1)).toBeLessThan(
    LOSS_TOLERANCE,
  );
  expectGradient(
    config,
    await trainer.takeGradient(),
    expected.gradient.map((value) => value / loss.count),
  );
});

test('sequences may be shorter than the context', async () => {
  const config = tinyConfig(true);
  const parameters = tinyParameters(config);
  const full = tinyBatch(config, 1);
  const length = config.contextLength / 2;
  const rows = TINY_SEQUENCES * length;
  const batch = { ...full, length, tokens: full.tokens.slice(0, rows), targets: full.targets.slice(0, rows) };
  const trainer = await trainerOf(config, parameters, { length });
  expect(trainer.length).toBe(length);
  const { sum } = await trainer.accumulate(batch);
  expect(Math.abs(sum / referenceLoss(config, Float64Array.from(parameters), batch) - 1)).toBeLessThan(LOSS_TOLERANCE);
  await expect(trainer.accumulate(full)).rejects.toThrow(`compiled for 2 x ${length}`);
});

test('logits too large to exponentiate give a finite loss and gradient', async () => {
  const config = tinyConfig(false);
  const parameters = tinyParameters(config);
  const { offset, size } = parameterLayout(config).parameters.find(({ name }) => name === 'lm_head.weight')!;
  for (let i = offset; i < offset + size; i++) parameters[i] = 300 * parameters[i]!;
  const batch = tinyBatch(config, 1);
  const trainer = await trainerOf(config, parameters);
  const { sum, count } = await trainer.accumulate(batch);
  const expected = tfjsLossAndGradient(config, parameters, batch);
  expect(sum / count).toBeGreaterThan(89);
  expect(Math.abs(sum / expected.loss - 1)).toBeLessThan(LOSS_TOLERANCE);
  expectGradient(
    config,
    await trainer.takeGradient(),
    expected.gradient.map((value) => value / count),
  );
});
