import { afterEach, beforeEach, expect, test } from 'vitest';
import { parameterLayout } from '../core/model/layout.ts';
import { PRESETS } from '../core/model/presets.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Compressor, Trainer } from './engine.ts';
import { createNodeTrainer } from './node.ts';
import { tinyBatch, tinyConfig, tinyParameters, TINY_SEQUENCES } from './testing/tiny-model.ts';

const config = tinyConfig(true);
const layout = parameterLayout(config);
const parameters = tinyParameters(config);
const batches = [1, 2, 3].map((seed) => tinyBatch(config, seed));
const scheme = createScheme({ ...PRESETS.nano.schemes.sparseloco, chunk: 8, topK: 8 }, layout);
const momentum = createScheme(PRESETS.nano.schemes['decoupled-momentum'], layout);

let trainer: Trainer;
let compressor: Compressor;

beforeEach(async () => {
  trainer = await createNodeTrainer({ config, sequences: TINY_SEQUENCES, intraOpThreads: 1 });
  await trainer.setParameters(parameters);
  compressor = await trainer.createCompressor(scheme);
});
afterEach(() => trainer.dispose());

test('the message is of how far the local steps went, the last of them taken on the way', async () => {
  const losses: number[] = [];
  for (const [i, batch] of batches.entries()) {
    losses.push((await trainer.accumulate(batch)).sum);
    if (i < 2) await compressor.localStep(1);
  }
  const body = await compressor.compress(1);
  expect(await trainer.readParameters()).toEqual(parameters);

  // The same by hand: gradients of the moved parameters, and the scheme's own contributor.
  const contributor = scheme.createContributor();
  const local = parameters.slice();
  for (const [i, batch] of batches.entries()) {
    await trainer.setParameters(local);
    expect((await trainer.accumulate(batch)).sum).toBe(losses[i]);
    contributor.localStep!(local, await trainer.takeGradient(), 1);
  }
  const expected = contributor.compress(
    parameters.map((value, i) => value - local[i]!),
    scheme.learningRate(1),
  );
  expect(body).toEqual(expected);
  expect(await compressor.saveState()).toEqual(contributor.saveState());
});

test('work that is discarded leaves the parameters of the window, and nothing in the next message', async () => {
  await trainer.accumulate(batches[0]!);
  await compressor.localStep(1);
  expect(await trainer.readParameters()).not.toEqual(parameters);
  await trainer.accumulate(batches[1]!);
  await compressor.discard();
  expect(await trainer.readParameters()).toEqual(parameters);
  await expect(compressor.compress(1)).rejects.toThrow('no gradient was accumulated');
  await compressor.discard();
  expect(await trainer.readParameters()).toEqual(parameters);
});

test('a scheme without local steps has none', async () => {
  const other = await trainer.createCompressor(momentum);
  await trainer.accumulate(batches[0]!);
  await expect(other.localStep(1)).rejects.toThrow('no local steps');
  await expect(other.compress(1)).resolves.toHaveLength(momentum.bodyBytes);
});
