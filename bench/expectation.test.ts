import { describe, expect, test } from 'vitest';
import { tinyConfig, tinyParameters } from '../engine/testing/tiny-model.ts';
import { parameterLayout } from '../core/model/layout.ts';
import { compare, expectationOf } from './expectation.ts';

const CONFIG = tinyConfig(true);
const GRADIENT = tinyParameters(CONFIG);
const EXPECTED = expectationOf(CONFIG, 3, GRADIENT);

describe('what a step must give', () => {
  test('agrees with itself', () => {
    expect(compare(EXPECTED, 3, GRADIENT, 'fp32')).toEqual({ lossError: 0, gradientError: 0, agrees: true });
  });

  test('notices a loss that is off by two in ten thousand, which half precision may be', () => {
    expect(compare(EXPECTED, 3.0006, GRADIENT, 'fp32').agrees).toBe(false);
    expect(compare(EXPECTED, 3.0006, GRADIENT, 'fp16').agrees).toBe(true);
  });

  test.each(parameterLayout(CONFIG).parameters)('notices that the gradient of $name is missing', ({ offset, size }) => {
    const gradient = GRADIENT.slice();
    gradient.fill(0, offset, offset + size);
    const { gradientError, agrees } = compare(EXPECTED, 3, gradient, 'fp16');
    expect(gradientError).toBeGreaterThan(0.5);
    expect(agrees).toBe(false);
  });

  test('takes nothing for a number that is none', () => {
    expect(compare(EXPECTED, NaN, GRADIENT, 'fp32').agrees).toBe(false);
    expect(
      compare(
        EXPECTED,
        3,
        GRADIENT.map(() => NaN),
        'fp16',
      ).agrees,
    ).toBe(false);
  });
});
