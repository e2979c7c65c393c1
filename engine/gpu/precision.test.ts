import { describe, expect, test } from 'vitest';
import { nextTokenBatch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { roundHalfEven } from '../../core/numerics/quantise.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { evaluateGraph } from '../graph/evaluate.ts';
import { sizeOf, type Value } from '../graph/ir.ts';
import { gradientInput, gradientOutput, INPUT, LOSS } from '../graph/llama.ts';
import { parameterGroups } from '../graph/parameter-groups.ts';
import { tinyConfig } from '../testing/tiny-model.ts';
import { planTraining } from './engine.ts';
import { disagreement, type ProbeStep } from './precision.ts';

const MIN_NORMAL_EXPONENT = -14;
const FRACTION_BITS = 10;
const LARGEST = 65_504;

/** The nearest fp16, ties to even (IEEE 754); beyond the largest, infinity. */
function toHalf(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(MIN_NORMAL_EXPONENT, Math.floor(Math.log2(Math.abs(x))));
  const unit = 2 ** (exponent - FRACTION_BITS);
  const rounded = roundHalfEven(x / unit) * unit;
  return Math.abs(rounded) > LARGEST ? Math.sign(x) * Infinity : rounded;
}

/** A step of the fused graph, with what the plan would store as fp16 rounded to it. */
function evaluateStep(config: ModelConfig, precision: 'fp32' | 'fp16'): ProbeStep {
  const sequences = 2;
  const rows = sequences * config.contextLength;
  const draw = createRandom(seedFrom('precision'));
  const ids = Int32Array.from({ length: rows }, () => draw.below(config.vocabSize));
  const batch = nextTokenBatch(ids, sequences, config.contextLength);
  const counted = [...batch.targets].filter((target) => target >= 0).length;
  const flat = initialParameters(config, seedFrom('precision'));
  const groups = parameterGroups(config);
  const plan = planTraining({ config, sequences, precision }, 16_384);
  const isHalf = (value: Value): boolean =>
    value.dtype === 'float32' && sizeOf(value.shape) >= 8 && plan.bytesOf(value) < 4 * sizeOf(value.shape);
  const results = evaluateGraph(
    plan.outputs,
    {
      [INPUT.tokens]: batch.tokens,
      [INPUT.targets]: batch.targets.map((target) => Math.max(0, target)),
      [INPUT.counts]: Float32Array.from(batch.targets, (target) => (target >= 0 ? 1 : 0)),
      ...Object.fromEntries(groups.map(({ name, offset, size }) => [name, flat.subarray(offset, offset + size)])),
      ...Object.fromEntries(groups.map(({ name, size }) => [gradientInput(name), new Float32Array(size)])),
    },
    (value, data) => (isHalf(value) ? data.map(toHalf) : data),
  );
  const gradient = Float32Array.from(groups.flatMap(({ name }) => [...results[gradientOutput(name)]!]));
  return { loss: results[LOSS]![0]! / counted, gradient: gradient.map((value) => value / counted) };
}

const config: ModelConfig = {
  ...tinyConfig(true),
  vocabSize: 300,
  hiddenSize: 48,
  intermediateSize: 96,
  headDim: 12,
  contextLength: 24,
};
const full = evaluateStep(config, 'fp32');

test('fp16 rounding, at the borders', () => {
  expect([1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_519, 65_520, 2 ** -24, 2 ** -25, -0.1].map(toHalf)).toEqual([
    1,
    1,
    1 + 2 ** -9,
    65_504,
    Infinity,
    2 ** -24,
    0,
    -0.0999755859375,
  ]);
});

describe.each([true, false])('a step in half precision, tied output: %s', (tieWordEmbeddings) => {
  test('agrees with fp32 by the rule that the probe applies', () => {
    const own = { ...config, tieWordEmbeddings };
    const half = evaluateStep(own, 'fp16');
    const exact = evaluateStep(own, 'fp32');
    expect(half.loss).not.toBe(exact.loss);
    expect(disagreement(own, half, exact)).toBeUndefined();
  });
});

test('what is wrong with a step is found, and said', () => {
  const groups = parameterGroups(config);
  const { name, offset, size } = groups[3]!;
  const damaged = (change: (value: number, i: number) => number): ProbeStep => ({
    loss: full.loss,
    gradient: full.gradient.map((value, i) => (i >= offset && i < offset + size ? change(value, i) : value)),
  });
  expect(disagreement(config, full, full)).toBeUndefined();
  expect(disagreement(config, { ...full, loss: 1.01 * full.loss }, full)).toBe('its loss is off by 1.0 %');
  expect(disagreement(config, { ...full, loss: Number.NaN }, full)).toContain('its loss');
  expect(
    disagreement(
      config,
      damaged((value) => 2 * value),
      full,
    ),
  ).toBe(`the gradient of ${name} is 2.00 times as long`);
  expect(
    disagreement(
      config,
      damaged((value) => -value),
      full,
    ),
  ).toContain(`the gradient of ${name} points elsewhere`);
  expect(
    disagreement(
      config,
      damaged((value, i) => (i === offset ? Number.NaN : value)),
      full,
    ),
  ).toContain(name);
  expect(
    disagreement(
      config,
      damaged(() => 0),
      full,
    ),
  ).toContain(name);
});
