import { describe, expect, it } from 'vitest';
import { REFERENCE_SPARSELOCO } from '../../model/presets.ts';
import { createRandom, seedFrom } from '../../numerics/prng.ts';
import { adamStep, clipFactor, type AdamMoments } from './adamw.ts';

const RATE = 0.01;
const { inner } = REFERENCE_SPARSELOCO;

const zeroMoments = (count: number): AdamMoments => ({
  steps: 0,
  first: new Float32Array(count),
  second: new Float32Array(count),
});

/** Loshchilov and Hutter, algorithm 2, as PyTorch writes it out; in double precision, with every gradient of the past. */
function oracle(start: number, gradients: readonly number[], rate: number): number {
  const { beta1, beta2, epsilon, weightDecay } = inner;
  let theta = start;
  gradients.forEach((_, i) => {
    const t = i + 1;
    const past = gradients.slice(0, t);
    const mean = past.reduce((sum, g, s) => sum + (1 - beta1) * beta1 ** (i - s) * g, 0) / (1 - beta1 ** t);
    const square = past.reduce((sum, g, s) => sum + (1 - beta2) * beta2 ** (i - s) * g * g, 0) / (1 - beta2 ** t);
    theta = theta - rate * weightDecay * theta - (rate * mean) / (Math.sqrt(square) + epsilon);
  });
  return theta;
}

describe('adamStep', () => {
  it('agrees with the formula over twenty steps', () => {
    const random = createRandom(seedFrom('adamw'));
    const count = 50;
    const start = Float32Array.from({ length: count }, () => random.uniform() - 0.5);
    // Short enough not to be clipped.
    const gradients = Array.from({ length: 20 }, () =>
      Float32Array.from({ length: count }, (_, i) => (random.uniform() - 0.3) * 0.1 * 10 ** (-i / 10)),
    );
    const parameters = start.slice();
    const moments = zeroMoments(count);
    for (const gradient of gradients) adamStep(moments, parameters, gradient, inner, RATE);
    expect(moments.steps).toBe(20);
    start.forEach((value, i) => {
      const history = gradients.map((gradient) => gradient[i]!);
      expect(Math.abs(parameters[i]! - oracle(value, history, RATE))).toBeLessThan(2e-6);
    });
  });

  it('first moves by the learning rate against the sign, whatever the size, after the decay', () => {
    const parameters = Float32Array.of(1, -2, 3);
    adamStep(zeroMoments(3), parameters, Float32Array.of(0.5, -1e-4, 0), inner, RATE);
    const kept = 1 - RATE * inner.weightDecay;
    expect(parameters[0]).toBeCloseTo(kept - RATE, 6);
    expect(parameters[1]).toBeCloseTo(-2 * kept + RATE, 5);
    expect(parameters[2]).toBeCloseTo(3 * kept, 6);
  });

  it('scales a long gradient down to the greatest norm over all parameters', () => {
    expect(clipFactor(Float32Array.of(3, 4), 1)).toBeCloseTo(0.2, 12);
    expect(clipFactor(Float32Array.of(0.3, 0.4), 1)).toBe(1);
    expect(clipFactor(Float32Array.of(0, 0), 1)).toBe(1);
    const long = zeroMoments(2);
    const short = zeroMoments(2);
    adamStep(long, new Float32Array(2), Float32Array.of(30, 40), inner, RATE);
    adamStep(short, new Float32Array(2), Float32Array.of(0.6, 0.8), inner, RATE);
    for (const i of [0, 1]) {
      expect(long.first[i]).toBeCloseTo(short.first[i]!, 7);
      expect(long.second[i]).toBeCloseTo(short.second[i]!, 7);
    }
  });

  it('changes nothing where a gradient is not finite or of another length', () => {
    const moments = zeroMoments(2);
    const parameters = Float32Array.of(1, 2);
    for (const gradient of [[1, Number.NaN], [Infinity, 0], [1], [1, 2, 3]]) {
      expect(() => {
        adamStep(moments, parameters, Float32Array.from(gradient), inner, RATE);
      }).toThrow(RangeError);
    }
    expect(moments).toEqual(zeroMoments(2));
    expect([...parameters]).toEqual([1, 2]);
  });
});
