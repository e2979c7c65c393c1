/**
 * What the profiles of Gauntlet decide differently. Ratings, proof of computation, sync and their product are the same
 * in all of them.
 */
import type { Random } from '../../numerics/prng.ts';
import type { Verdict } from '../../protocol/api.ts';
import type { Figures } from '../../protocol/figures.ts';
import type { ScoredPeer } from '../scoring.ts';
import type { AggregationCandidate, EvaluationCandidate } from '../selection.ts';

/** What a window's evaluation makes of a peer, before its conduct is looked at. */
export type Measured = Pick<Figures, 'rating' | 'poc'>;

/** What is left of it after that. */
export interface Standing extends Pick<Figures, 'rating' | 'poc' | 'gate' | 'conduct'> {
  /** What to call the peer, besides what all profiles do. */
  readonly flags: readonly string[];
}

/** What one window says about everybody's conduct. */
export interface WindowConduct {
  standing(peer: ScoredPeer, measured: Measured): Standing;
  /** What was found, and what follows from it. */
  verdicts(peer: ScoredPeer): Verdict[];
}

export interface GauntletProfile {
  /** Those whom the window's evaluations are drawn from. @param peers by hotkey */
  pool(window: number, peers: readonly EvaluationCandidate[], random: Random): readonly EvaluationCandidate[];
  /** The share of indices in common that makes a copy; null where copies are not looked for. */
  leastOverlap(window: number): number | null;
  /** @param peers everybody who takes part */
  conduct(window: number, peers: readonly ScoredPeer[]): WindowConduct;
  /** μ as the peer score takes it. */
  countedPoc(window: number, poc: number): number;
  /** Shares of the reward, in the order given: none negative, together 1 at most. */
  weights(peers: readonly (Pick<ScoredPeer, 'delivered'> & Pick<Figures, 'peerScore'>)[]): number[];
  /** Whose contributions make the outer step. @param ranked best first */
  aggregated<T extends AggregationCandidate>(window: number, ranked: readonly T[]): readonly T[];
  /** A window without a delivery of a peer that is not expected to deliver any more; undefined when nothing changes. */
  idle(window: number, before: Figures): Figures | undefined;
}
