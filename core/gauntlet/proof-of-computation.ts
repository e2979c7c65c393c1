/**
 * Proof of computation: whether a peer's update helps its own assigned data more than other data, averaged over its
 * evaluations (Gauntlet, arXiv 2505.21684; reference: templar validator.py, `binary_moving_averages`). A copier gains on
 * both alike and stays near or below zero.
 */
import type { GauntletParameters } from '../protocol/manifest.ts';

/** LossScores (loss before - loss after, nats a token) of one evaluation. */
export interface LossScores {
  readonly assigned: number;
  readonly random: number;
}

/**
 * μ ← γ·μ + (1 - γ)·s, where s is 1 if the assigned data gained more than the random data and -1 if not, a tie included
 * (as in the reference: whoever sends nothing ties).
 *
 * @param poc μ so far, -1 … 1; a new peer's is 0
 */
export function nextProofOfComputation(
  poc: number,
  scores: LossScores,
  params: Pick<GauntletParameters, 'pocDecay'>,
): number {
  const indicator = scores.assigned > scores.random ? 1 : -1;
  return params.pocDecay * poc + (1 - params.pocDecay) * indicator;
}
