/** Incentive weights (Gauntlet, arXiv 2505.21684: power normalisation, so that splitting one peer into many loses). */

/**
 * w_p = s_p^c / Σ s^c over the positive scores, 0 for all others.
 *
 * @param scores finite peer scores
 * @param power c, the manifest's `weightPower`
 * @returns in the order of `scores`; they sum to 1, or are all 0 when no score is positive
 */
export function incentiveWeights(scores: readonly number[], power: number): number[] {
  const largest = Math.max(0, ...scores);
  if (largest === 0) return scores.map(() => 0);
  // Relative to the largest no power overflows; summed in ascending order no weight depends on the order of peers.
  const powers = scores.map((score) => (score > 0 ? (score / largest) ** power : 0));
  const total = [...powers].sort((a, b) => a - b).reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}
