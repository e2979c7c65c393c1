/**
 * The sync score: how many sign-steps a peer's parameters lie from the validator's (Gauntlet, arXiv 2505.21684;
 * reference: templar v0.2.84 validator.py). Where the reference compares fixed positions, here they are drawn anew for
 * each window and hotkey, so that nobody can echo what another published.
 */
import type { ParameterLayout } from '../model/layout.ts';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';

/** As many as the reference samples of a tensor. */
const PER_TENSOR = 2;
/** As many as a contribution's header holds. */
export const MAX_SYNC_POSITIONS = 256;

/**
 * Positions in the flat vector whose values a peer reports: two of every tensor; one each where that would be more than
 * 256, and one each of 256 tensors where there are more tensors.
 *
 * @returns in layout order, distinct, at most 256
 */
export function syncPositions(window: number, hotkey: string, layout: ParameterLayout): number[] {
  const random = createRandom(seedFrom('gauntlet/sync/v1', window, hotkey));
  const { parameters } = layout;
  const tensors = random
    .sample(parameters.length, Math.min(parameters.length, MAX_SYNC_POSITIONS))
    .sort((a, b) => a - b)
    .map((i) => parameters[i]!);
  const perTensor = tensors.length * PER_TENSOR <= MAX_SYNC_POSITIONS ? PER_TENSOR : 1;
  return tensors.flatMap(({ offset, size }) =>
    random
      .sample(size, Math.min(size, perTensor))
      .sort((a, b) => a - b)
      .map((position) => offset + position),
  );
}

/**
 * mean |θ_p - θ_v| / η: how many sign-steps apart.
 *
 * @param sample the peer's values at its positions
 * @param own the validator's values at the same positions
 * @returns Infinity when the sample is empty or of another length
 */
export function syncDistance(sample: readonly number[], own: ArrayLike<number>, learningRate: number): number {
  if (sample.length === 0 || sample.length !== own.length) return Infinity;
  const sum = sample.reduce((total, value, i) => total + Math.abs(value - own[i]!), 0);
  return sum / sample.length / learningRate;
}

/** (1 - min(x, max) / max) ^ exponent: 1 in lockstep, 0 from `syncMax` sign-steps on. */
export function syncScore(distance: number, params: Pick<GauntletParameters, 'syncMax' | 'syncExponent'>): number {
  return (1 - Math.min(distance, params.syncMax) / params.syncMax) ** params.syncExponent;
}
