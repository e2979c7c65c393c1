import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, seedFrom, xoshiro128 } from './prng.ts';

describe('xoshiro128', () => {
  it('gives the reference outputs of state 1, 2, 3, 4 (reference: xoshiro128starstar.c 1.1)', () => {
    const next = xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, next)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });
});

describe('createRandom', () => {
  it('is frozen: a change here changes every assignment and draw of every run', () => {
    const random = createRandom(seedFrom('frozen', 7), 'label');
    expect({
      seed: bytesToHex(seedFrom('frozen', 7)),
      words: Array.from({ length: 4 }, () => random.uint32()),
      uniform: random.uniform(),
      below: Array.from({ length: 4 }, () => random.below(10)),
      sample: random.sample(1_000_000, 5),
      shuffle: random.shuffle(['a', 'b', 'c', 'd', 'e']),
    }).toMatchInlineSnapshot(`
      {
        "below": [
          8,
          2,
          3,
          4,
        ],
        "sample": [
          238335,
          430262,
          20927,
          596859,
          635881,
        ],
        "seed": "8ecb74b9d39e742390bf6a79559f6ff019b95378968f3f9136819acd4fad4cda",
        "shuffle": [
          "e",
          "a",
          "c",
          "b",
          "d",
        ],
        "uniform": 0.6440329530842576,
        "words": [
          3685014388,
          1349626334,
          329169340,
          2987598647,
        ],
      }
    `);
  });

  it('separates streams by label and by seed', () => {
    const first = (seed: Uint8Array, label?: string): number => createRandom(seed, label).uint32();
    const seed = seedFrom('a');
    expect(new Set([first(seed), first(seed, 'x'), first(seed, 'y'), first(seedFrom('b'))]).size).toBe(4);
    expect(first(seed)).toBe(first(seed, ''));
  });

  it('draws every value of a small range about equally often', () => {
    const random = createRandom(seedFrom('uniformity'));
    const counts = new Uint32Array(7);
    for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += random.uniform();
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });

  it('samples distinct values in range, for any n', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 32 }),
        fc.integer({ min: 0, max: 50 }),
        fc.string(),
        (n, want, seed) => {
          const count = Math.min(n, want);
          const drawn = createRandom(seedFrom(seed)).sample(n, count);
          expect(new Set(drawn).size).toBe(count);
          expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value < n)).toBe(true);
        },
      ),
    );
  });

  it('samples and shuffles as permutations', () => {
    const random = createRandom(seedFrom('permutation'));
    expect(random.sample(20, 20).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(random.shuffle(['x', 'y', 'z']).sort()).toEqual(['x', 'y', 'z']);
    expect(random.shuffle([])).toEqual([]);
  });

  it('refuses impossible ranges', () => {
    const random = createRandom(seedFrom('refuse'));
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) expect(() => random.below(n)).toThrow(RangeError);
    expect(() => random.sample(3, 4)).toThrow(RangeError);
    expect(() => random.sample(3, -1)).toThrow(RangeError);
  });
});

describe('seedFrom', () => {
  it('tells lists of parts apart that concatenate to the same bytes', () => {
    const seeds = [
      seedFrom('ab'),
      seedFrom('a', 'b'),
      seedFrom('b', 'a'),
      seedFrom(new Uint8Array([97, 98])),
      seedFrom('ab', ''),
      seedFrom(97),
      seedFrom(97 * 2 ** 32),
    ].map((seed) => bytesToHex(seed));
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('refuses numbers that are not non-negative safe integers', () => {
    for (const part of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => seedFrom(part)).toThrow(RangeError);
  });
});
