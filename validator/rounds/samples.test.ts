import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PRESETS } from '../../core/model/presets.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { sampleIsDue, sampleTokens } from './samples.ts';

it('samples each of the first windows, then ever more rarely, and about a hundred in a million', () => {
  const sampled: number[] = [];
  for (let window = 1; window <= 1_000_000; window++) if (sampleIsDue(window, sampled.at(-1))) sampled.push(window);
  expect(sampled.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(sampled.length).toBeGreaterThan(80);
  expect(sampled.length).toBeLessThan(150);
});

it('samples no window twice, whatever was sampled before', () => {
  fc.assert(fc.property(fc.nat(1e6), (window) => !sampleIsDue(window, window)));
});

it('asks small models for much, larger ones for less, and the largest for nothing', () => {
  const tokensOf = (preset: keyof typeof PRESETS): number => sampleTokens(parameterLayout(PRESETS[preset].model).total);
  expect(tokensOf('micro')).toBe(48);
  expect(tokensOf('nano')).toBe(48);
  expect(sampleTokens(100e6)).toBe(16);
  expect(tokensOf('paper-1b')).toBe(0);
});
