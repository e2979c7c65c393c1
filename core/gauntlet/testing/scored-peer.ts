/** Peers as scoring sees them, for tests: one that did everything right, and departures from it. */
import type { Conduct, Figures } from '../../protocol/figures.ts';
import { REFERENCE_GAUNTLET } from '../../model/presets.ts';
import { freshFigures, type ScoredPeer } from '../scoring.ts';

export interface PeerChanges extends Partial<Omit<ScoredPeer, 'before'>> {
  readonly before?: Partial<Figures>;
  readonly conduct?: Partial<Conduct>;
  /** Drawn, with this LossScore on random pages and one more on its own. */
  readonly loss?: number;
}

/** A peer of long standing that delivered and was not drawn. */
export function scoredPeer(
  hotkey: string,
  { before = {}, conduct = {}, loss, ...changes }: PeerChanges = {},
): ScoredPeer {
  const fresh = freshFigures(REFERENCE_GAUNTLET);
  const standing: Figures = {
    ...fresh,
    rating: { mu: 40, sigma: 5 },
    poc: 0.5,
    sync: 1,
    peerScore: 12.5,
    weight: 0.1,
    rank: 1,
    evaluations: 10,
    lastDelivered: 40,
    flags: [],
    ...before,
  };
  return {
    hotkey,
    uid: 0,
    before: { ...standing, conduct: { ...standing.conduct, ...conduct } },
    delivered: true,
    wellFormed: true,
    passed: true,
    sync: 1,
    otherData: false,
    drawn: loss !== undefined,
    lossScores: loss === undefined ? null : { assigned: loss + 1, random: loss },
    overlap: null,
    ...changes,
  };
}

/** What a peer is that sent nothing. */
export const ABSENT = { delivered: false, wellFormed: false, passed: false, sync: null } as const;
