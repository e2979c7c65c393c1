import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Batch } from '../core/data/batch.ts';
import { applySignStep, type SignStep } from '../core/lockstep/sign-step.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { Trainer } from './engine.ts';
import { createNodeEvaluator, createNodeTrainer } from './node.ts';
import { relativeErrors, tinyBatch, tinyConfig, tinyParameters, TINY_SEQUENCES } from './testing/tiny-model.ts';

const config = tinyConfig(true);
const parameters = tinyParameters(config);
const batch = tinyBatch(config, 1);
let trainer: Trainer;

beforeAll(async () => {
  trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
});
afterAll(() => trainer.dispose());

test('parameters come back as they were given, and as a copy', async () => {
  await trainer.setParameters(parameters);
  const read = await trainer.readParameters();
  expect(read).toEqual(parameters);
  read.fill(0);
  expect(await trainer.readParameters()).toEqual(parameters);
  const given = parameters.slice();
  await trainer.setParameters(given);
  given.fill(0);
  expect(await trainer.readParameters()).toEqual(parameters);
});

test('a step moves the parameters as the lockstep rule says', async () => {
  await trainer.setParameters(parameters);
  const random = createRandom(seedFrom('step'));
  const words = (): Uint32Array =>
    Uint32Array.from({ length: Math.ceil(parameters.length / 32) }, () => random.uint32());
  const step: SignStep = {
    kind: 'sign',
    learningRate: Math.fround(0.01),
    total: parameters.length,
    descend: words(),
    touched: words(),
  };
  const expected = parameters.slice();
  applySignStep(expected, step);
  await trainer.applyStep(step);
  expect(await trainer.readParameters()).toEqual(expected);
  expect(expected).not.toEqual(parameters);
  await expect(trainer.applyStep({ ...step, total: step.total - 1 })).rejects.toThrow(RangeError);
  expect(await trainer.readParameters()).toEqual(expected);
});

test('parameters that were set or stepped are those that are evaluated', async () => {
  await trainer.setParameters(parameters);
  const before = await trainer.accumulate(batch);
  const gradient = await trainer.takeGradient();
  const descend = new Uint32Array(Math.ceil(parameters.length / 32));
  for (const [i, slope] of gradient.entries()) if (slope > 0) descend[i >>> 5]! |= 1 << (i & 31);
  await trainer.applyStep({
    kind: 'sign',
    learningRate: Math.fround(1e-3),
    total: parameters.length,
    descend,
    touched: new Uint32Array(descend.length).fill(0xffffffff),
  });
  const after = await trainer.accumulate(batch);
  // To first order the mean loss falls by the learning rate times the sum of the gradient's magnitudes.
  const predicted = 1e-3 * gradient.reduce((sum, slope) => sum + Math.abs(slope), 0);
  const fallen = (before.sum - after.sum) / before.count;
  expect(fallen / predicted).toBeGreaterThan(0.9);
  expect(fallen / predicted).toBeLessThan(1.1);
  await trainer.takeGradient();
});

test('what does not fit is refused, and the engine goes on', async () => {
  await trainer.setParameters(parameters);
  await expect(trainer.setParameters(new Float32Array(3))).rejects.toThrow(RangeError);
  const tokens = batch.tokens.slice();
  tokens[3] = config.vocabSize;
  await expect(trainer.accumulate({ ...batch, tokens })).rejects.toThrow('position 3');
  tokens[3] = -1;
  await expect(trainer.accumulate({ ...batch, tokens })).rejects.toThrow('position 3');
  const misshapen: Partial<Batch>[] = [
    { sequences: 1 },
    { length: 4 },
    { tokens: batch.tokens.slice(1) },
    { targets: batch.targets.slice(1) },
  ];
  for (const part of misshapen) {
    const refused = trainer.accumulate({ ...batch, ...part });
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow('compiled for 2 x 8');
  }
  const targets = batch.targets.slice();
  targets[0] = -7;
  await expect(trainer.accumulate({ ...batch, targets })).rejects.toThrow('position 0');
  targets[0] = config.vocabSize;
  await expect(trainer.accumulate({ ...batch, targets })).rejects.toThrow('position 0');
  await expect(trainer.loss(batch)).rejects.toThrow('make an evaluator');
  await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
  expect((await trainer.accumulate(batch)).sum).toBeGreaterThan(0);
});

test('an evaluator evaluates what was written into its parameters, and what was put back', async () => {
  const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
  await evaluator.setParameters(parameters);
  const before = await evaluator.loss(batch);
  const other = parameters.map((value) => value * 1.5);
  evaluator.parameters.set(other);
  const between = await evaluator.loss(batch);
  expect(between.sum).not.toBe(before.sum);
  evaluator.parameters.set(parameters);
  expect(await evaluator.loss(batch)).toEqual(before);
  await evaluator.setParameters(other);
  expect(await evaluator.loss(batch)).toEqual(between);
  await evaluator.dispose();
});

test.each([
  ['evaluator', createNodeEvaluator],
  ['trainer', createNodeTrainer],
])('a disposed %s says so, whatever it is asked', async (_name, create) => {
  const engine = await create({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
  await engine.setParameters(parameters);
  await engine.dispose();
  await engine.dispose();
  const step: SignStep = {
    kind: 'sign',
    learningRate: 1,
    total: parameters.length,
    descend: new Uint32Array(Math.ceil(parameters.length / 32)),
    touched: new Uint32Array(Math.ceil(parameters.length / 32)),
  };
  await expect(engine.setParameters(parameters)).rejects.toThrow('disposed');
  await expect(engine.readParameters()).rejects.toThrow('disposed');
  await expect(engine.applyStep(step)).rejects.toThrow('disposed');
  await expect(engine.loss(batch)).rejects.toThrow('disposed');
  if (!('accumulate' in engine)) return;
  const disposed: Trainer = engine;
  await expect(disposed.accumulate(batch)).rejects.toThrow('disposed');
  await expect(disposed.takeGradient()).rejects.toThrow('disposed');
});

test('a gradient that is discarded leaves nothing in the next', async () => {
  await trainer.setParameters(parameters);
  await trainer.accumulate(batch);
  const expected = await trainer.takeGradient();
  await trainer.accumulate(tinyBatch(config, 2));
  await trainer.discardGradient();
  await expect(trainer.takeGradient()).rejects.toThrow('no gradient was accumulated');
  await trainer.discardGradient();
  await trainer.accumulate(batch);
  // Where the runtime puts its tensors decides the last bit of some sums.
  const errors = Object.values(relativeErrors(config, await trainer.takeGradient(), expected));
  expect(Math.max(...errors)).toBeLessThan(1e-6);
});

test('batches that are not awaited are accumulated in turn', async () => {
  const batches = [1, 2, 3].map((seed) => tinyBatch(config, seed));
  await trainer.setParameters(parameters);
  const alone = [];
  for (const each of batches) alone.push(await trainer.accumulate(each));
  const expected = await trainer.takeGradient();
  const bad = { ...batch, length: 1 };
  const queued = [
    trainer.accumulate(batches[0]!),
    trainer.accumulate(bad),
    ...batches.slice(1).map((each) => trainer.accumulate(each)),
  ];
  const results = await Promise.allSettled(queued);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.count] : []))).toEqual(
    alone.map(({ count }) => count),
  );
  const errors = Object.values(relativeErrors(config, await trainer.takeGradient(), expected));
  expect(Math.max(...errors)).toBeLessThan(1e-6);
});
