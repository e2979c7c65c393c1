/** What the engine specs compute with: models small enough for a GPU in software, and inputs drawn from a seed. */
import { IGNORED_TARGET, type Batch } from '../../core/data/batch.ts';
import { bitSet, setBits } from '../../core/lockstep/bits.ts';
import type { SignStep } from '../../core/lockstep/sign-step.ts';
import type { SparseStep } from '../../core/lockstep/sparse-step.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createRandom, seedFrom, type Random } from '../../core/numerics/prng.ts';

/** Grouped queries, and no two sizes alike, so that a swapped axis shows. */
export const TINY: ModelConfig = {
  vocabSize: 37,
  hiddenSize: 20,
  intermediateSize: 28,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 6,
  contextLength: 9,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  initializerRange: 0.02,
};

export const TINY_SEQUENCES = 3;

export function random(label: string): Random {
  return createRandom(seedFrom('e2e/engine', label));
}

/** Far larger than a model's initial ones, so that no term of a gradient vanishes. */
export function someParameters(config: ModelConfig): Float32Array<ArrayBuffer> {
  const draw = random('parameters');
  return Float32Array.from({ length: parameterLayout(config).total }, () => draw.uniform() - 0.5);
}

/** Every target position drawn, one in five not counting. */
export function someBatch(config: ModelConfig, sequences: number, label: string): Batch {
  const draw = random(label);
  const size = sequences * config.contextLength;
  return {
    sequences,
    length: config.contextLength,
    tokens: Int32Array.from({ length: size }, () => draw.below(config.vocabSize)),
    targets: Int32Array.from({ length: size }, () =>
      draw.below(5) === 0 ? IGNORED_TARGET : draw.below(config.vocabSize),
    ),
  };
}

/** A step of random signs, whose touched runs begin and end anywhere. */
export function someStep(total: number, learningRate: number, label: string): SignStep {
  const draw = random(label);
  const touched = bitSet(total);
  for (let at = draw.below(100); at < total;) {
    const run = Math.min(1 + draw.below(500), total - at);
    setBits(touched, at, run);
    at += run + draw.below(200);
  }
  const descend = bitSet(total).map(() => draw.uint32());
  return { kind: 'sign', learningRate: Math.fround(learningRate), total, touched, descend };
}

/**
 * A step of some coordinates, whole stretches of which are left out: by a usual size, or by a few of the smallest normal
 * numbers so that it can end among the subnormals.
 */
export function someSparseStep(total: number, label: string): SparseStep {
  const draw = random(label);
  const positions: number[] = [];
  for (let at = draw.below(100); at < total; at += 1 + draw.below(draw.below(20) === 0 ? 300 : 3)) positions.push(at);
  // Few of a usual size: what they move is delicate no longer.
  const size = (): number =>
    draw.below(12) === 0 ? draw.uniform() - 0.5 : (draw.below(2) - 0.5) * 2 * (1 + draw.below(32) / 8) * MIN_NORMAL;
  return {
    kind: 'sparse',
    learningRate: 1,
    total,
    positions: Uint32Array.from(positions),
    values: Float32Array.from(positions, size),
    bodies: [],
  };
}

/** Smallest normal fp32 magnitude. */
const MIN_NORMAL = 2 ** -126;

/** Usual ones, and ones so small that a step can end among the subnormals. */
export const LEARNING_RATES = [4e-4, 8e-3, 1.5 * MIN_NORMAL, 0.1, 3.25 * MIN_NORMAL, 1 / 3, 2 ** -100] as const;

/** Parameters that steps of `LEARNING_RATES` take to zero, to a subnormal, across zero, or nowhere. */
export function delicateParameters(count: number): Float32Array<ArrayBuffer> {
  const draw = random('delicate');
  const kinds = [
    () => draw.uniform() - 0.5,
    () => LEARNING_RATES[draw.below(LEARNING_RATES.length)]!,
    () => -LEARNING_RATES[draw.below(LEARNING_RATES.length)]!,
    () => (1 + draw.below(32) / 8) * MIN_NORMAL,
    () => -(1 + draw.below(32) / 8) * MIN_NORMAL,
    () => 0,
    () => -0,
    () => 2 ** (30 + draw.below(60)),
  ];
  return Float32Array.from({ length: count }, () => kinds[draw.below(kinds.length)]!());
}
