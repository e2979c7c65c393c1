/**
 * The peer score and its gate (Gauntlet, arXiv 2505.21684; reference: templar validator.py, `final_scores`; the sync
 * factor is the code's).
 */
import type { GauntletParameters } from '../protocol/manifest.ts';

export interface Standing {
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
export function peerScore({ ordinal, poc, sync, gate }: Standing): number {
  const score = ordinal * Math.max(0, poc) * sync;
  if (score > 0) return score * gate;
  // Zero times a negative ordinal is -0, which JSON writes as 0: nobody should see the difference.
  return score === 0 ? 0 : score;
}

/** A failed fast check cuts the gate by the factor; a clean window takes one cut back, up to 1. */
export function gateAfter(gate: number, passed: boolean, params: Pick<GauntletParameters, 'gateFactor'>): number {
  if (!passed) return gate * params.gateFactor;
  return gate >= params.gateFactor ? 1 : gate / params.gateFactor;
}
