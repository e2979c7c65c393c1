import { describe, expect, it } from 'vitest';
import { REFERENCE_DECOUPLED_MOMENTUM } from '../model/presets.ts';
import { scheduledLearningRate } from './schedule.ts';

const parameters = { ...REFERENCE_DECOUPLED_MOMENTUM, learningRate: 4e-4, warmupWindows: 250, cosineWindows: 20_000 };
const at = (window: number): number => scheduledLearningRate(parameters, window);

describe('scheduledLearningRate', () => {
  it('warms up linearly from a tenth, then follows one cosine to a tenth and stays', () => {
    expect(at(1)).toBeCloseTo(4e-5, 9);
    expect(at(126)).toBeCloseTo(4e-4 * 0.55, 9);
    expect(at(251)).toBe(Math.fround(4e-4));
    expect(at(10_251)).toBeCloseTo(4e-4 * 0.55, 9);
    expect(at(20_251)).toBe(Math.fround(4e-5));
    expect(at(1_000_000)).toBe(at(20_251));
  });

  it('starts at the peak without a warm-up', () => {
    const short = { ...parameters, warmupWindows: 0, cosineWindows: 1 };
    expect([0, 1, 2, 3].map((window) => scheduledLearningRate(short, window))).toEqual(
      [4e-4, 4e-4, 4e-5, 4e-5].map(Math.fround),
    );
  });

  it('agrees with the formula and is an exact fp32 value', () => {
    for (let window = 251; window < 20_251; window += 97) {
      const expected = 4e-4 * (0.1 + 0.45 * (1 + Math.cos((Math.PI * (window - 251)) / 20_000)));
      expect(Math.abs(at(window) / expected - 1)).toBeLessThan(1e-7);
      expect(at(window)).toBe(Math.fround(at(window)));
      expect(at(window + 97)).toBeLessThan(at(window));
    }
  });
});
