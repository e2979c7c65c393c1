import fc from 'fast-check';
import { expect, it } from 'vitest';
import { growthOf } from './slope.ts';

it('finds the exponent of a power law, whatever its factor', () => {
  const factor = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(factor, fc.double({ min: -1, max: 3, noNaN: true }), (a, slope) => {
      const found = growthOf([10, 50, 250, 1_000].map((size) => [size, a * size ** slope]));
      expect(found.slope).toBeCloseTo(slope, 6);
      if (Math.abs(slope) > 1e-3) expect(found.r2).toBeCloseTo(1, 6);
    }),
  );
  expect(
    growthOf([
      [1, 5],
      [100, 5],
    ]),
  ).toEqual({ slope: 0, r2: 1 });
});

it('says how well it fits', () => {
  const { slope, r2 } = growthOf([
    [1, 1],
    [10, 100],
    [100, 1],
    [1_000, 100],
  ]);
  expect(slope).toBeCloseTo(0.4, 12);
  expect(r2).toBeCloseTo(0.2, 12);
});

it('asks for two sizes and for positive numbers', () => {
  expect(() => growthOf([[10, 1]])).toThrow('two different sizes');
  expect(() =>
    growthOf([
      [10, 1],
      [10, 2],
    ]),
  ).toThrow('two different sizes');
  expect(() =>
    growthOf([
      [10, 0],
      [20, 2],
    ]),
  ).toThrow('not positive');
});
