import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topK } from './top-k.ts';

describe('topK', () => {
  it('keeps the largest magnitudes, of equal ones the first', () => {
    expect([...topK(Float32Array.of(1, -3, 2, 3, -2, 0), 3)]).toEqual([1, 2, 3]);
    expect([...topK(Float32Array.of(0, 0, 0, 0), 2)]).toEqual([0, 1]);
    expect([...topK(Float32Array.of(1, 1, -1, 2), 2)]).toEqual([0, 3]);
    expect([...topK(Float32Array.of(-0, 0), 2)]).toEqual([0, 1]);
  });

  it('agrees with sorting', () => {
    const values = fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(values, fc.nat(80), (list, want) => {
        const k = Math.min(want, list.length);
        const sorted = list
          .map((value, i) => ({ size: Math.abs(value), i }))
          .sort((a, b) => b.size - a.size || a.i - b.i);
        const expected = sorted.slice(0, k).map(({ i }) => i);
        expect([...topK(Float32Array.from(list), k)]).toEqual(expected.sort((a, b) => a - b));
      }),
    );
  });

  it('refuses to keep more than there are', () => {
    expect(() => topK(new Float32Array(3), 4)).toThrow(RangeError);
  });
});
