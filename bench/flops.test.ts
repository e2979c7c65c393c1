import { expect, test } from 'vitest';
import { PRESETS } from '../core/model/presets.ts';
import { trainingFlops } from './flops.ts';

test('a step of nano, counted by hand', () => {
  // A layer: q and o 128 x 128, k and v 128 x 64, three of 128 x 384; the output 2048 x 128. Norms are not multiplied.
  const multiplied = 4 * (2 * 128 * 128 + 2 * 128 * 64 + 3 * 128 * 384) + 2048 * 128;
  const attention = 12 * 4 * 4 * 32 * 128;
  expect(trainingFlops(PRESETS.nano.model, 8, 128)).toBe(1024 * (6 * multiplied + attention));
});

test('an embedding that is only looked up is no product', () => {
  const tied = PRESETS.micro.model;
  const untied = { ...tied, tieWordEmbeddings: false };
  expect(trainingFlops(untied, 1, 64)).toBe(trainingFlops(tied, 1, 64));
});
