/**
 * The peer score and its gate (Gauntlet, arXiv 2505.21684; reference: templar validator.py, `final_scores`; the sync
 * factor is the code's).
 *
 * Cuts persist. The reference cuts the score itself and computes it anew at the peer's next evaluation, which forgets
 * the cut. Here every cut multiplies the gate, the gate multiplies every later score, and each clean window takes back
 * one cut of `gateFactor`: a cut by 0.75 lasts one clean window, by 0.5 three, by 0.25 five. Where a profile cuts down to
 * nothing (templar-2.1), a peer is taken to have been cut as often as its conduct is looked back on, so that it is not
 * for ever. Where it cuts μ too, that is won back by evaluations alone.
 */
import type { GauntletParameters } from '../protocol/manifest.ts';

export interface Factors {
  /** mu - z·sigma of the rating. */
  readonly ordinal: number;
  /** μ of the proof of computation, -1 … 1. */
  readonly poc: number;
  /** Sync score 0 … 1. */
  readonly sync: number;
  /** Product of the cuts in force, 0 … 1. */
  readonly gate: number;
}

/**
 * ordinal · max(0, μ) · sync, and times the gate where that is positive: μ is clamped so that two negative factors make
 * no positive score, and a negative score is never cut, which would raise it.
 */
export function peerScore({ ordinal, poc, sync, gate }: Factors): number {
  const score = ordinal * Math.max(0, poc) * sync;
  if (score > 0) return score * gate;
  // Zero times a negative ordinal is -0, which JSON writes as 0: nobody should see the difference.
  return score === 0 ? 0 : score;
}

/**
 * The gate after a window.
 *
 * @param cuts factors, 0 … 1, of what the peer did wrong in it; none make a clean window
 * @param memory a clean window counts no more cuts than this many
 */
export function gateAfter(
  gate: number,
  cuts: readonly number[],
  { gateFactor }: Pick<GauntletParameters, 'gateFactor'>,
  memory = Infinity,
): number {
  if (cuts.length > 0) return cuts.reduce((product, factor) => product * factor, gate);
  const remembered = Math.max(gate, gateFactor ** memory);
  return remembered >= gateFactor ? 1 : remembered / gateFactor;
}
