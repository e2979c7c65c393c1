import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodingTable, MAX_SCALE, MIN_SCALE, quantise, roundHalfEven } from './quantise.ts';

const GOLDEN = Float32Array.of(-3, -2, -1, -0.5, 0.5, 1, 2, 4);

function roundTrip(values: Float32Array, bins: number): { codes: number[]; decoded: number[] } {
  const quantised = quantise(values, bins);
  const table = decodingTable(quantised);
  return { codes: [...quantised.codes], decoded: Array.from(quantised.codes, (code) => table[code]!) };
}

describe('quantise', () => {
  it('has the golden vector of 4 bins (reference: templar compress.py)', () => {
    const quantised = quantise(GOLDEN, 4);
    expect(quantised.shift).toBe(0.125);
    expect(quantised.scale).toBeCloseTo(3.372022, 6);
    expect([...quantised.lookup]).toEqual([0, -2.625, -0.125, 2.875]);
    expect(roundTrip(GOLDEN, 4)).toEqual({ codes: [1, 1, 2, 2, 2, 2, 3, 3], decoded: [-2.5, -2.5, 0, 0, 0, 0, 3, 3] });
  });

  it('has the golden vector of 16 bins', () => {
    expect(quantise(GOLDEN, 16).scale).toBeCloseTo(0.843006, 6);
    expect(roundTrip(GOLDEN, 16)).toEqual({
      codes: [4, 5, 7, 7, 8, 9, 10, 13],
      decoded: [-3, -2, -0.75, -0.75, 0.5, 1, 2, 4],
    });
  });

  it('loses little with 256 bins', () => {
    expect(roundTrip(GOLDEN, 256).decoded).toEqual([...GOLDEN]);
  });

  it('takes scale 1 where there is no spread', () => {
    for (const values of [[], [0.3], [2, 2, 2]]) expect(quantise(Float32Array.from(values), 256).scale).toBe(1);
    const almostEqual = new Float32Array(100_000).fill(1e-6);
    almostEqual[0] = 1.0000001e-6;
    expect(quantise(almostEqual, 256).scale).toBe(1);
    expect(roundTrip(Float32Array.of(0.3), 256).decoded).toEqual([Math.fround(0.3)]);
  });

  it('preserves the mean, is monotone and is finite', () => {
    const value = fc.float({ noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 60 }), fc.constantFrom(4, 16, 256), (list, bins) => {
        const values = Float32Array.from(list);
        const { scale, lookup, shift } = quantise(values, bins);
        expect(scale).toBeGreaterThanOrEqual(MIN_SCALE);
        expect(scale).toBeLessThanOrEqual(MAX_SCALE);
        expect([shift, ...lookup].every(Number.isFinite)).toBe(true);
        const { decoded } = roundTrip(values, bins);
        const mean = (numbers: ArrayLike<number>): number =>
          Array.from(numbers).reduce((a, b) => a + b, 0) / numbers.length;
        expect(mean(decoded)).toBeCloseTo(mean(values), 3);
        for (let i = 0; i < list.length; i++) {
          for (let j = 0; j < list.length; j++) {
            if (values[i]! < values[j]!) expect(decoded[i]!).toBeLessThanOrEqual(decoded[j]! + 1e-4);
          }
        }
      }),
    );
  });
});

describe('roundHalfEven', () => {
  it('rounds halves to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6, 254.5].map((x) => roundHalfEven(x) + 0)).toEqual([
      0, 2, 2, 0, -2, 2, 3, 254,
    ]);
  });
});
