import { describe, expect, it } from 'vitest';
import { bitSet, setBits } from './bits.ts';
import { applySignStep, type SignStep } from './sign-step.ts';

const learningRate = Math.fround(0.01);

function stepOf(total: number, descending: number[], touching: number[]): SignStep {
  const descend = bitSet(total);
  const touched = bitSet(total);
  for (const i of descending) setBits(descend, i, 1);
  for (const i of touching) setBits(touched, i, 1);
  return { kind: 'sign', learningRate, total, descend, touched };
}

describe('applySignStep', () => {
  it('moves touched parameters by one learning rate, with one rounding', () => {
    const parameters = Float32Array.of(1, 1, 1, -1);
    applySignStep(parameters, stepOf(4, [0, 3], [0, 1, 3]));
    expect([...parameters]).toEqual([
      Math.fround(1 - learningRate),
      Math.fround(1 + learningRate),
      1,
      Math.fround(-1 - learningRate),
    ]);
  });

  it('flushes a subnormal result to plain zero', () => {
    const parameters = Float32Array.of(learningRate, -learningRate, 2 ** -127);
    applySignStep(parameters, stepOf(3, [0], [0, 1]));
    expect([...parameters].map((value) => Object.is(value, 0))).toEqual([true, true, false]);
    const tiny = { ...stepOf(2, [0], [0, 1]), learningRate: 2 ** -126 };
    const near = Float32Array.of(2 ** -126 + 2 ** -140, -(2 ** -126) - 2 ** -140);
    applySignStep(near, tiny);
    expect([...near].map((value) => Object.is(value, 0))).toEqual([true, true]);
  });

  it('refuses another length', () => {
    expect(() => {
      applySignStep(new Float32Array(3), stepOf(4, [], []));
    }).toThrow(RangeError);
  });
});
