/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101; as torch.optim.AdamW): the local steps of SparseLoCo. Its moments stay
 * with the contributor, so nobody has to come to the same bits.
 */
import type { SparseLocoParameters } from '../../protocol/manifest.ts';

export interface AdamMoments {
  /** Steps ever taken. */
  steps: number;
  /** Mean of gradients, of `total` parameters. */
  readonly first: Float32Array<ArrayBuffer>;
  /** Mean of their squares. */
  readonly second: Float32Array<ArrayBuffer>;
}

/** What a step multiplies with, for an implementation elsewhere: on a GPU. */
export interface AdamFactors {
  /** θ is multiplied with it first: the decoupled weight decay. */
  readonly keep: number;
  /** Of the first moment, in the step. */
  readonly rate: number;
  /** Of the second moment, below the root. */
  readonly correction: number;
}

/** @param step number of the step, from 1 */
export function adamFactors(
  { beta1, beta2, weightDecay }: SparseLocoParameters['inner'],
  learningRate: number,
  step: number,
): AdamFactors {
  return {
    keep: 1 - learningRate * weightDecay,
    rate: learningRate / (1 - beta1 ** step),
    correction: 1 / (1 - beta2 ** step),
  };
}

/**
 * What the gradient is scaled by, so that its Euclidean norm over all parameters is at most the greatest allowed.
 *
 * @throws RangeError when a value is not finite
 */
export function clipFactor(gradient: Float32Array, maxNorm: number): number {
  let squares = 0;
  for (const value of gradient) squares += value * value;
  if (!Number.isFinite(squares)) throw new RangeError('the gradient is not finite');
  return Math.min(1, maxNorm / Math.sqrt(squares));
}

/**
 * A step in place.
 *
 * @param parameters flat fp32 vector
 * @param gradient same shape
 * @throws RangeError when the length differs or a gradient is not finite; nothing has changed then
 */
export function adamStep(
  moments: AdamMoments,
  parameters: Float32Array,
  gradient: Float32Array,
  inner: SparseLocoParameters['inner'],
  learningRate: number,
): void {
  const { first, second } = moments;
  if (gradient.length !== first.length || parameters.length !== first.length) {
    throw new RangeError(`a gradient of ${gradient.length} values for ${first.length} parameters`);
  }
  const { beta1, beta2, epsilon, maxGradientNorm } = inner;
  const clip = clipFactor(gradient, maxGradientNorm);
  const { keep, rate, correction } = adamFactors(inner, learningRate, ++moments.steps);
  for (let i = 0; i < gradient.length; i++) {
    const clipped = clip * gradient[i]!;
    const mean = Math.fround(beta1 * first[i]! + (1 - beta1) * clipped);
    const square = Math.fround(beta2 * second[i]! + (1 - beta2) * clipped * clipped);
    first[i] = mean;
    second[i] = square;
    parameters[i] = keep * parameters[i]! - (rate * mean) / (Math.sqrt(square * correction) + epsilon);
  }
}
