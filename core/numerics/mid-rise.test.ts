import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { midRiseCode, quantiseMidRise } from './mid-rise.ts';
import { createRandom, seedFrom, type Random } from './prng.ts';
import { decodingTable, quantise } from './quantise.ts';

/** A standard normal value (Box and Muller). */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

/** Chunks of 64 normal values whose sizes are lognormal with this spread. */
function chunksOf(spread: number): Float32Array {
  const random = createRandom(seedFrom('chunks', String(spread)));
  return Float32Array.from(
    Array.from({ length: 256 }, () => {
      const scale = 0.01 * Math.exp(spread * normal(random));
      // The largest 64 of 4096: no small ones among them.
      return Array.from(
        { length: 64 },
        () => (random.uniform() < 0.5 ? -1 : 1) * scale * (2.4 + 0.4 * Math.abs(normal(random))),
      );
    }).flat(),
  );
}

/** What the reference makes of a tensor's values. */
function reference(values: Float32Array, levels: number): Float32Array {
  const quantised = quantise(values, levels);
  const table = decodingTable(quantised);
  return Float32Array.from(quantised.codes, (code) => table[code]!);
}

/** What we make of them: every chunk at unit length. */
function ours(values: Float32Array, levels: number): Float32Array {
  const norms = Array.from({ length: values.length / 64 }, (_, i) =>
    Math.hypot(...values.subarray(64 * i, 64 * (i + 1))),
  );
  const { codes, lookup } = quantiseMidRise(
    values.map((value, i) => value / norms[i >> 6]!),
    levels,
  );
  return Float32Array.from(codes, (code, i) => lookup[code]! * norms[i >> 6]!);
}

const error = (values: Float32Array, decoded: Float32Array): number =>
  Math.hypot(...values.map((value, i) => value - decoded[i]!)) / Math.hypot(...values);
const signsLost = (values: Float32Array, decoded: Float32Array): number =>
  values.reduce((lost, value, i) => lost + (Math.sign(value) === Math.sign(decoded[i]!) ? 0 : 1), 0) / values.length;

describe('quantiseMidRise', () => {
  it('cuts at zero and at one and a half root mean squares, with 4 levels', () => {
    const values = Float32Array.of(-3, -2, -1, -0.5, 0.5, 1, 2, 4);
    const { scale, codes, lookup } = quantiseMidRise(values, 4);
    expect(scale).toBe(Math.fround(1.5 * Math.sqrt((9 + 4 + 1 + 0.25 + 0.25 + 1 + 4 + 16) / 8)));
    expect([...codes]).toEqual([1, 1, 1, 1, 2, 2, 2, 3]);
    expect([...lookup]).toEqual([0, -1.625, Math.fround(3.5 / 3), 4]);
  });

  it('loses no sign, is monotone, and keeps the sum', () => {
    const value = fc.float({ noNaN: true, min: -1, max: 1 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.constantFrom(4, 16, 256), (numbers, levels) => {
        const values = Float32Array.from(numbers);
        const { scale, codes, lookup } = quantiseMidRise(values, levels);
        expect(scale).toBeGreaterThan(0);
        // 2^-50 of a bin is lost in the addition of half the levels.
        numbers.forEach((number, i) => {
          if (Math.abs(number) < scale * 1e-12) return;
          expect(Math.sign(lookup[codes[i]!]!)).toBe(Math.sign(number));
          numbers.forEach((other, j) => {
            if (number < other) expect(codes[i]!).toBeLessThanOrEqual(codes[j]!);
          });
        });
        const sum = codes.reduce((total, code) => total + lookup[code]!, 0);
        expect(sum).toBeCloseTo(
          numbers.reduce((a, b) => a + b, 0),
          4,
        );
      }),
    );
  });

  it('takes scale 1 where there is no spread or nothing', () => {
    for (const values of [[], [0, 0]]) expect(quantiseMidRise(Float32Array.from(values), 16).scale).toBe(1);
    expect([-1e9, 0, 1e9].map((value) => midRiseCode(value, 1, 16))).toEqual([0, 8, 15]);
  });
});

describe('4 levels against the reference’s', () => {
  it.each([0, 0.5, 1])('lose no signs and less of the values, chunk scales lognormal(%d)', (spread) => {
    const values = chunksOf(spread);
    const theirs = reference(values, 4);
    const mine = ours(values, 4);
    expect(signsLost(values, mine)).toBe(0);
    expect(error(values, mine)).toBeLessThan(0.15);
    // One scale for all: quiet chunks fall into the bin that straddles zero, whose mean has one sign.
    if (spread === 0) expect(signsLost(values, theirs)).toBe(0);
    else {
      expect(signsLost(values, theirs)).toBeGreaterThan(0.15);
      expect(error(values, theirs)).toBeGreaterThan(0.35);
    }
    expect(error(values, mine)).toBeLessThanOrEqual(error(values, theirs) * 1.05);
  });
});
