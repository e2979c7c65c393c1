import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import { indexOverlaps } from './overlap.ts';

/** Four chunks of 4 x 4, of which 4 are kept; one chunk of 2 x 4 with 4; a vector that is sent whole. */
const SHAPES = [[8, 8], [2, 4], [4]];
let offset = 0;
const parameters = SHAPES.map((shape, i) => {
  const spec = { name: `t${i}`, shape, offset, size: shape.reduce((a, b) => a * b) };
  offset += spec.size;
  return spec;
});
const layout = { parameters, total: offset };
const params = { chunk: 4, topK: 4 };

/** @param large indices of the four chunks of the first tensor @param small of the second */
const deltaOf = (large: number[][], small: number[], value = 1) => ({
  tensors: [large.flat(), small, [0, 1, 2, 3]].map((indices) => ({
    indices: Uint16Array.from(indices),
    values: new Float32Array(indices.length).fill(value),
  })),
});
const overlapOf = (...deltas: ReturnType<typeof deltaOf>[]): number[][] => indexOverlaps(deltas, params, layout);

describe('indexOverlaps', () => {
  it('averages over chunks, then over tensors by size, without those sent whole', () => {
    const first = [0, 1, 2, 3];
    const other = [8, 9, 10, 11];
    const a = deltaOf([first, first, first, first], first);
    const b = deltaOf([first, [2, 3, 4, 5], other, other], [3, 4, 5, 6]);
    const expected = (64 * ((1 + 0.5) / 4) + 8 * 0.25) / 72;
    expect(overlapOf(a, b)[0]![1]).toBeCloseTo(expected, 12);
    expect(overlapOf(a, b)[1]![0]).toBeCloseTo(expected, 12);
  });

  it('is 1 for the same indices, whatever the values, and 0 with the silent', () => {
    const chunks = [0, 1, 2, 3].map((i) => [i, i + 1, i + 2, i + 3]);
    const [copied, disturbed] = [deltaOf(chunks, [0, 1, 2, 3]), deltaOf(chunks, [0, 1, 2, 3], -0.3)];
    expect(overlapOf(copied, disturbed)[0]![1]).toBeCloseTo(1, 12);
    const silent = deltaOf(chunks, [0, 1, 2, 3], 0);
    expect(overlapOf(copied, silent, silent)).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
  });

  it('lies in 0 … 1, is symmetric, and follows contributions when they change places', () => {
    const chunk = (length: number) =>
      fc
        .shuffledSubarray([...Array(length).keys()], { minLength: 4, maxLength: 4 })
        .map((list) => list.sort((a, b) => a - b));
    const delta = fc
      .tuple(fc.array(chunk(16), { minLength: 4, maxLength: 4 }), chunk(8))
      .map(([large, small]) => deltaOf(large, small));
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1, maxLength: 5 }), (deltas) => {
        const overlaps = overlapOf(...deltas);
        const turned = overlapOf(...deltas.toReversed());
        const last = deltas.length - 1;
        for (let i = 0; i <= last; i++) {
          for (let j = 0; j <= last; j++) {
            expect(overlaps[i]![j]).toBe(overlaps[j]![i]);
            expect(overlaps[i]![j]).toBe(turned[last - i]![last - j]);
            expect(overlaps[i]![j]).toBeGreaterThanOrEqual(0);
            expect(overlaps[i]![j]).toBeLessThanOrEqual(1 + 1e-12);
          }
        }
      }),
    );
  });

  it('is 1/64 for 64 of 4096 drawn at random, the reference’s baseline', () => {
    const shape = [640, 640];
    const size = 640 * 640;
    const chunks = 100;
    const random = createRandom(seedFrom('overlap'));
    const message = () => ({
      tensors: [
        {
          indices: Uint16Array.from(
            Array.from({ length: chunks }, () => random.sample(4096, 64).sort((a, b) => a - b)).flat(),
          ),
          values: new Float32Array(chunks * 64).fill(1),
        },
      ],
    });
    const wide = { parameters: [{ name: 'w', shape, offset: 0, size }], total: size };
    const overlap = indexOverlaps([message(), message()], { chunk: 64, topK: 64 }, wide)[0]![1]!;
    // 100 indices in common are expected, give or take ten.
    expect(overlap).toBeGreaterThan(0.011);
    expect(overlap).toBeLessThan(0.021);
  });
});
