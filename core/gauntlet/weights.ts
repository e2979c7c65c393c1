/** Incentive weights: what a share of the reward each peer gets. */
import type { TemplarGauntlet } from '../protocol/manifest.ts';

/**
 * w_p = s_p^c / Σ s^c over the positive scores, 0 for all others.
 *
 * @param scores finite peer scores
 * @param power c, the manifest's `weightPower`
 * @returns in the order of `scores`; they sum to 1, or are all 0 when no score is positive
 */
export function incentiveWeights(scores: readonly number[], power: number): number[] {
  const largest = scores.reduce((most, score) => Math.max(most, score), 0);
  if (largest === 0) return scores.map(() => 0);
  // Relative to the largest no power overflows; summed in ascending order no weight depends on the order of peers.
  const powers = scores.map((score) => (score > 0 ? (score / largest) ** power : 0));
  const total = [...powers].sort((a, b) => a - b).reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/**
 * Weights by place (reference: templar 2.1, validator.py): the best `gather` share `gatherShare`, the first `topRatio`
 * times the last and linear between; the next `reserve` share the rest, each `reserveDecay` of the one before and none
 * above half of the last before them. `burnShare` of all weight goes to nobody, and all of it where no score is positive.
 * Equal scores share what their places get, so that no order of peers decides.
 *
 * @param scores finite peer scores
 * @returns in the order of `scores`; they sum to 1 - `burnShare`, or are all 0
 */
export function tieredWeights(scores: readonly number[], tiers: TemplarGauntlet['weights']): number[] {
  const positive = scores.filter((score) => score > 0).sort((a, b) => b - a);
  const shares = sharesOfPlaces(positive.length, tiers);
  const total = shares.reduceRight((sum, share) => sum + share, 0);
  const weights = new Map<number, number>();
  for (let first = 0, next = 0; first < positive.length; first = next) {
    const score = positive[first]!;
    while (next < positive.length && positive[next] === score) next++;
    const tied = shares.slice(first, next);
    const mean = tied.reduce((sum, share) => sum + share, 0) / tied.length;
    weights.set(score, ((1 - tiers.burnShare) * mean) / total);
  }
  return scores.map((score) => weights.get(score) ?? 0);
}

/** Before they are scaled to a common sum; 0 behind the last reserve. */
function sharesOfPlaces(
  places: number,
  { gather, topRatio, gatherShare, reserve, reserveDecay }: TemplarGauntlet['weights'],
): number[] {
  const gathered = Math.min(places, gather);
  const ramp = Array.from({ length: gathered }, (_, i) =>
    gathered === 1 ? 1 : topRatio - ((topRatio - 1) * i) / (gathered - 1),
  );
  const decay = Array.from({ length: Math.min(places - gathered, reserve) }, (_, i) => reserveDecay ** i);
  const scaled = (values: readonly number[], to: number): number[] => {
    const sum = values.reduceRight((total, value) => total + value, 0);
    return values.map((value) => (to * value) / sum);
  };
  const top = scaled(ramp, gatherShare);
  const rest = scaled(decay, 1 - gatherShare);
  const last = top.at(-1)!;
  const bounded = rest.length > 0 && rest[0]! > last ? rest.map((share) => (share * last * 0.5) / rest[0]!) : rest;
  return [...top, ...bounded, ...new Array<number>(places - top.length - rest.length).fill(0)];
}
