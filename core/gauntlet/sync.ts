/**
 * The sync score: how many steps of training a peer's parameters lie from the validator's (Gauntlet, arXiv 2505.21684;
 * reference: templar validator.py, v0.2.84 and 2.1.28). Where the reference compares fixed positions, here they are drawn anew for
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
 * How many steps of training lie between two parameter vectors: |θ_p - θ_v| / unit at each position, and of these the
 * mean or the mean of those between the quartiles, both included. The reference divides by a running average of its own
 * steps, element by element; here the unit is the scheme's, published and the same for all.
 *
 * @param sample the peer's values at its positions
 * @param own the validator's values at the same positions
 * @param unit `scheme.syncUnit` of the window
 * @returns Infinity when the sample is empty, of another length or not finite
 */
export function syncDistance(
  sample: readonly number[],
  own: ArrayLike<number>,
  unit: number,
  statistic: GauntletParameters['syncStatistic'],
): number {
  if (sample.length === 0 || sample.length !== own.length) return Infinity;
  const ratios = sample.map((value, i) => Math.abs(value - own[i]!) / unit);
  if (!ratios.every(Number.isFinite)) return Infinity;
  return mean(statistic === 'mean' ? ratios : betweenQuartiles(ratios));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function betweenQuartiles(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const lower = quantile(sorted, 0.25);
  const upper = quantile(sorted, 0.75);
  return sorted.filter((value) => value >= lower && value <= upper);
}

/** With linear interpolation between the neighbours, as torch and numpy do. */
function quantile(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const next = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (place - below) * (next - sorted[below]!);
}

/** (1 - min(x, max) / max) ^ exponent: 1 in lockstep, 0 from `syncMax` steps on. */
export function syncScore(distance: number, params: Pick<GauntletParameters, 'syncMax' | 'syncExponent'>): number {
  return (1 - Math.min(distance, params.syncMax) / params.syncMax) ** params.syncExponent;
}
