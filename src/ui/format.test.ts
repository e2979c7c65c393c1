import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCompact,
  formatCountdown,
  formatDecimal,
  formatDuration,
  formatFigure,
  formatSigned,
  plural,
  shorten,
} from './format.ts';

describe('formats', () => {
  it('bytes', () => {
    expect([0, 999, 1_000, 148_213, 999_900, 4_200_000, 11_000_000_000].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '148 kB',
      '1.0 MB',
      '4.2 MB',
      '11 GB',
    ]);
  });

  it('times', () => {
    expect([-3, 8.4, 60, 125, 11_400].map(formatDuration)).toEqual(['0 s', '8 s', '1 min', '2 min 5 s', '3 h 10 min']);
    expect([-1, 0.2, 65].map(formatCountdown)).toEqual(['0:00', '0:01', '1:05']);
  });

  it('numbers, the unknown included', () => {
    expect([null, undefined, Number.NaN].map((value) => formatDecimal(value))).toEqual(['–', '–', '–']);
    expect([1.004, -2.5, -0.001].map((value) => formatDecimal(value))).toEqual(['1.00', '−2.50', '0.00']);
    expect([0.5, -0.5].map((value) => formatSigned(value, 1))).toEqual(['+0.5', '−0.5']);
    expect([0, 3, 0.012345, -1.5].map(formatFigure)).toEqual(['0', '3', '0.01235', '−1.5']);
    expect(formatCompact(1_050_000)).toBe('1.05M');
    expect([plural(1, 'peer'), plural(2, 'peer'), plural(2, 'batch', 'batches')]).toEqual([
      '1 peer',
      '2 peers',
      '2 batches',
    ]);
  });

  it('identifiers', () => {
    expect(shorten('5Fvq14qHF94oZAYA')).toBe('5Fvq14…4oZAYA');
    expect(shorten('short')).toBe('short');
  });
});
