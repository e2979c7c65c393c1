/** What a step must give, as far as it is checked: computed once on the processor, and compared with every contender. */
import type { ModelConfig } from '../core/model/config.ts';
import { parameterLayout } from '../core/model/layout.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { BenchPrecision } from './report.ts';

const SAMPLES_A_TENSOR = 32;

export interface Expectation {
  /** Mean loss. */
  readonly loss: number;
  /** By tensor: the largest magnitude, and some elements of the flat gradient of the mean loss. */
  readonly tensors: readonly {
    readonly magnitude: number;
    readonly samples: readonly (readonly [index: number, value: number])[];
  }[];
}

/** @param gradient of the mean loss, flat in layout order */
export function expectationOf(config: ModelConfig, loss: number, gradient: Float32Array): Expectation {
  const random = createRandom(seedFrom('bench samples'));
  const tensors = parameterLayout(config).parameters.map(({ offset, size }) => {
    const magnitude = gradient
      .subarray(offset, offset + size)
      .reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const samples = Array.from({ length: SAMPLES_A_TENSOR }, () => {
      const index = offset + random.below(size);
      return [index, gradient[index]!] as const;
    });
    return { magnitude, samples };
  });
  return { loss, tensors };
}

export interface Agreement {
  readonly lossError: number;
  readonly gradientError: number;
  readonly agrees: boolean;
}

/** Relative errors up to which a step is the same step. */
const TOLERANCES: Record<BenchPrecision, { readonly loss: number; readonly gradient: number }> = {
  fp32: { loss: 1e-4, gradient: 1e-3 },
  fp16: { loss: 2e-3, gradient: 5e-2 },
};

export function compare(
  expected: Expectation,
  loss: number,
  gradient: Float32Array,
  precision: BenchPrecision,
): Agreement {
  const lossError = Math.abs(loss - expected.loss) / expected.loss;
  const gradientError = Math.max(
    ...expected.tensors.map(({ magnitude, samples }) =>
      Math.max(...samples.map(([index, value]) => Math.abs(gradient[index]! - value) / magnitude)),
    ),
  );
  const tolerance = TOLERANCES[precision];
  return { lossError, gradientError, agrees: lossError <= tolerance.loss && gradientError <= tolerance.gradient };
}

/** Under which an expectation is kept. */
export const expectationKey = (workload: string, sequences: number): string => `${workload} x ${sequences}`;
