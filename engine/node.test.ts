import { afterAll, beforeAll, expect, test } from 'vitest';
import { applySignStep, type SignStep } from '../core/lockstep/sign-step.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { Trainer } from './engine.ts';
import { createNodeEvaluator, createNodeTrainer } from './node.ts';
import { tinyBatch, tinyConfig, tinyParameters, TINY_SEQUENCES } from './testing/tiny-model.ts';

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
});

test('a step moves the parameters as the lockstep rule says', async () => {
  await trainer.setParameters(parameters);
  const random = createRandom(seedFrom('step'));
  const words = (): Uint32Array =>
    Uint32Array.from({ length: Math.ceil(parameters.length / 32) }, () => random.uint32());
  const step: SignStep = {
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
});

test('what does not fit is refused, and the engine goes on', async () => {
  await trainer.setParameters(parameters);
  await expect(trainer.setParameters(new Float32Array(3))).rejects.toThrow(RangeError);
  const tokens = batch.tokens.slice();
  tokens[3] = config.vocabSize;
  await expect(trainer.accumulate({ ...batch, tokens })).rejects.toThrow('position 3');
  await expect(trainer.accumulate({ ...batch, sequences: 1 })).rejects.toThrow('compiled for 2 x 8');
  const targets = batch.targets.slice();
  targets[0] = -7;
  await expect(trainer.accumulate({ ...batch, targets })).rejects.toThrow('position 0');
  await expect(trainer.takeGradient()).rejects.toThrow('no gradient');
  expect((await trainer.accumulate(batch)).sum).toBeGreaterThan(0);
});

test('a disposed engine says so', async () => {
  const evaluator = await createNodeEvaluator({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
  await evaluator.dispose();
  await expect(evaluator.loss(batch)).rejects.toThrow('disposed');
});
