/** A model with every feature on and few enough parameters that each can be differenced: shared by the engine's tests. */
import { IGNORED_TARGET, nextTokenBatch, type Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';

export const TINY_SEQUENCES = 2;

/** Two layers, grouped queries (4 heads on 2), an odd vocabulary. */
export function tinyConfig(tieWordEmbeddings: boolean): ModelConfig {
  return {
    vocabSize: 23,
    hiddenSize: 12,
    intermediateSize: 20,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 4,
    contextLength: 8,
    ropeTheta: 100,
    rmsNormEps: 1e-5,
    tieWordEmbeddings,
    initializerRange: 0.02,
  };
}

/** Larger than an initialisation's, so that attention and gates are far from their linear middle. */
export function tinyParameters(config: ModelConfig): Float32Array<ArrayBuffer> {
  const { parameters, total } = parameterLayout(config);
  const random = createRandom(seedFrom('tiny model', total));
  const values = new Float32Array(total);
  for (const { offset, size, shape } of parameters) {
    for (let i = offset; i < offset + size; i++)
      values[i] = (random.uniform() - 0.5) * 0.8 + (shape.length === 1 ? 1 : 0);
  }
  return values;
}

/** @param seed different batches for different numbers; some targets are ignored */
export function tinyBatch(config: ModelConfig, seed: number): Batch {
  const random = createRandom(seedFrom('tiny batch', seed));
  const length = config.contextLength;
  const ids = Int32Array.from({ length: TINY_SEQUENCES * length }, () => random.below(config.vocabSize));
  const batch = nextTokenBatch(ids, TINY_SEQUENCES, length);
  batch.targets[2] = IGNORED_TARGET;
  batch.targets[length + 5] = IGNORED_TARGET;
  return batch;
}

export function countTargets({ targets }: Batch): number {
  return targets.filter((target) => target !== IGNORED_TARGET).length;
}

/** For each parameter tensor, the largest difference relative to the tensor's largest expected magnitude. */
export function relativeErrors(
  config: ModelConfig,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): Record<string, number> {
  return Object.fromEntries(
    parameterLayout(config).parameters.map(({ name, offset, size }) => {
      let difference = 0;
      let magnitude = 0;
      for (let i = offset; i < offset + size; i++) {
        difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
        magnitude = Math.max(magnitude, Math.abs(expected[i]!));
      }
      return [name, Number.isNaN(difference) ? Infinity : difference / magnitude];
    }),
  );
}
