/**
 * From a window's checks and losses to everybody's figures: rating, proof of computation, gate, score, weight, rank. A
 * pure function of what a window's book publishes, so that anyone can repeat it.
 */
import type { Copy } from './copies.ts';
import type { Conduct, Figures } from '../protocol/figures.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import { peerScore } from './peer-score.ts';
import { profileOf } from './profiles/profile-of.ts';
import { nextProofOfComputation, type LossScores } from './proof-of-computation.ts';
import { freshRating, ordinal, ratePeers } from './rating.ts';

/** A peer that takes part in a window's scoring: it delivered now or lately. */
export interface ScoredPeer {
  readonly hotkey: string;
  readonly uid: number;
  readonly before: Figures;
  /** An upload of it was accepted in this window. */
  readonly delivered: boolean;
  /** What it delivered has the form that the run prescribes and can be aggregated. */
  readonly wellFormed: boolean;
  /** It passed every fast check. */
  readonly passed: boolean;
  /** Sync score, null where there is no contribution to tell. */
  readonly sync: number | null;
  /** What it says it trained on is not the prefix of its assignment. */
  readonly otherData: boolean;
  /** Its turn for evaluation came, whether there was something to evaluate or not. */
  readonly drawn: boolean;
  /** Null where it was not drawn, or had nothing to evaluate. */
  readonly lossScores: LossScores | null;
  /** What it has in common with an earlier contribution of this window; null where that is too little to count. */
  readonly overlap: Copy | null;
}

const CLEAN_CONDUCT: Conduct = {
  deliveries: '',
  missesInRow: 0,
  evaluations: '',
  negativesInRow: 0,
  naughtyUntil: 0,
};

/** How a peer starts, and starts afresh after a long absence. */
export function freshFigures({ rating }: GauntletParameters): Figures {
  return {
    rating: freshRating(rating),
    poc: 0,
    sync: null,
    gate: 1,
    peerScore: 0,
    weight: 0,
    rank: null,
    evaluations: 0,
    waited: 0,
    lastDelivered: 0,
    flags: ['new'],
    conduct: CLEAN_CONDUCT,
  };
}

/** Whether a peer's newest delivery is so recent that a contribution is still expected of it. */
export function isActive({ lastDelivered }: Figures, window: number, { activeWindows }: GauntletParameters): boolean {
  return lastDelivered > 0 && window - lastDelivered < activeWindows;
}

/** The match: everybody drawn plays, and whoever had nothing to evaluate loses to all that had. */
function newRatings(peers: readonly ScoredPeer[], params: GauntletParameters): Map<string, Figures['rating']> {
  const players = peers.filter(({ drawn }) => drawn);
  const rated = ratePeers(
    players.map(({ hotkey, before }) => ({ id: hotkey, rating: before.rating })),
    players.map(({ lossScores }) => lossScores?.random ?? params.missingScore),
    params.rating,
  );
  return new Map(players.map(({ hotkey }, i) => [hotkey, rated[i]!]));
}

function flagsOf(figures: Figures, { otherData }: ScoredPeer, params: GauntletParameters): string[] {
  return [
    ...(figures.evaluations === 0 ? ['new'] : figures.evaluations < params.probationEvaluations ? ['probation'] : []),
    ...(figures.gate < 1 ? ['gated'] : []),
    ...(otherData ? ['other-data'] : []),
    ...figures.flags,
  ];
}

/**
 * The figures of all active peers after a window.
 *
 * @param peers distinct hotkeys and uids; their order does not matter, not even in the last bit
 * @returns by hotkey, best rank first, with ranks from 1
 */
export function scoreWindow(
  window: number,
  peers: readonly ScoredPeer[],
  params: GauntletParameters,
): Map<string, Figures> {
  const profile = profileOf(params);
  const ratings = newRatings(peers, params);
  const conduct = profile.conduct(window, peers);
  const scored = peers.map((peer) => {
    const { before, lossScores } = peer;
    const standing = conduct.standing(peer, {
      rating: ratings.get(peer.hotkey) ?? before.rating,
      poc: lossScores ? nextProofOfComputation(before.poc, lossScores, params) : before.poc,
    });
    const sync = peer.sync ?? before.sync;
    const figures: Figures = {
      ...standing,
      flags: [...standing.flags],
      sync,
      peerScore: peerScore({
        ordinal: ordinal(standing.rating, params.rating),
        poc: profile.countedPoc(window, standing.poc),
        sync: sync ?? 0,
        gate: standing.gate,
      }),
      weight: 0,
      rank: null,
      // Alone it cannot be rated: it would leave probation with nothing to show for it.
      evaluations: before.evaluations + (lossScores && ratings.size > 1 ? 1 : 0),
      waited: peer.drawn ? 0 : before.waited + 1,
      lastDelivered: peer.delivered ? window : before.lastDelivered,
    };
    return { peer, figures };
  });
  const weights = profile.weights(
    scored.map(({ peer, figures }) => ({ delivered: peer.delivered, peerScore: figures.peerScore })),
  );
  const ranked = scored
    .map((entry, i) => ({ ...entry, weight: weights[i]! }))
    .sort(
      (a, b) =>
        b.figures.peerScore - a.figures.peerScore ||
        ordinal(b.figures.rating, params.rating) - ordinal(a.figures.rating, params.rating) ||
        a.peer.uid - b.peer.uid,
    );
  return new Map(
    ranked.map(({ peer, figures, weight }, i) => [
      peer.hotkey,
      { ...figures, weight, rank: i + 1, flags: flagsOf(figures, peer, params) },
    ]),
  );
}

/**
 * The figures of a peer that is not active: no weight, no rank, and a fresh start after a long absence.
 *
 * @returns undefined when nothing changes
 */
export function idleFigures(before: Figures, window: number, params: GauntletParameters): Figures | undefined {
  const { lastDelivered, conduct } = before;
  const away = window - lastDelivered;
  // Never delivered: nothing to take away. Longer away: it started afresh when that became so long.
  if (lastDelivered === 0 || away > params.resetAfterWindows) return undefined;
  if (away < params.resetAfterWindows) return profileOf(params).idle(window, before);
  const fresh = freshFigures(params);
  // A ban is not waited out any sooner by staying away.
  return { ...fresh, lastDelivered, conduct: { ...fresh.conduct, naughtyUntil: conduct.naughtyUntil } };
}
