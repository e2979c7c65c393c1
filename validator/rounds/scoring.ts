/** From a window's checks and losses to everybody's figures: rating, proof of computation, gate, score, weight, rank. */
import { gateAfter, peerScore } from '../../core/gauntlet/peer-score.ts';
import { nextProofOfComputation } from '../../core/gauntlet/proof-of-computation.ts';
import { ordinal, ratePeers } from '../../core/gauntlet/rating.ts';
import { incentiveWeights } from '../../core/gauntlet/weights.ts';
import type { GauntletParameters } from '../../core/protocol/manifest.ts';
import type { LossResult } from './evaluation-stage.ts';
import type { FastResult } from './fast-stage.ts';
import { freshFigures } from './fresh-peer.ts';
import type { PeerFigures } from './store.ts';

/** A peer that takes part in a window's scoring: it delivered now or lately. */
export interface ActivePeer {
  readonly hotkey: string;
  readonly uid: number;
  /** Before this window. */
  readonly figures: PeerFigures;
  readonly fast: FastResult;
  /** Whether an upload of it was accepted in this window, valid or not. */
  readonly delivered: boolean;
}

export interface Drawn {
  /** Everybody drawn, whether there was something to evaluate or not. */
  readonly hotkeys: ReadonlySet<string>;
  readonly losses: ReadonlyMap<string, LossResult>;
}

/** Windows since the newest delivery after which a peer counts as gone for now. */
export function isActive(lastDelivered: number, window: number, { activeWindows }: GauntletParameters): boolean {
  return lastDelivered > 0 && window - lastDelivered < activeWindows;
}

const allPass = ({ fast }: ActivePeer): boolean => fast.verdicts.every(({ pass }) => pass);

/** The match: everybody drawn plays, and whoever had nothing to evaluate loses to all that had. */
function newRatings(
  peers: readonly ActivePeer[],
  drawn: Drawn,
  params: GauntletParameters,
): Map<string, PeerFigures['rating']> {
  const players = peers.filter(({ hotkey }) => drawn.hotkeys.has(hotkey));
  const rated = ratePeers(
    players.map(({ hotkey, figures }) => ({ id: hotkey, rating: figures.rating })),
    players.map(({ hotkey }) => drawn.losses.get(hotkey)?.scores.random ?? params.missingScore),
    params.rating,
  );
  return new Map(players.map(({ hotkey }, i) => [hotkey, rated[i]!]));
}

function flagsOf(figures: PeerFigures, fast: FastResult, params: GauntletParameters): string[] {
  return [
    ...(figures.evaluations === 0 ? ['new'] : figures.evaluations < params.probationEvaluations ? ['probation'] : []),
    ...(figures.gate < 1 ? ['gated'] : []),
    ...(fast.otherData ? ['other-data'] : []),
  ];
}

/**
 * The figures of all active peers after a window.
 *
 * @returns by hotkey, with weights that sum to 1 (or are all 0) and ranks from 1
 */
export function scorePeers(
  window: number,
  peers: readonly ActivePeer[],
  drawn: Drawn,
  params: GauntletParameters,
): Map<string, PeerFigures> {
  const ratings = newRatings(peers, drawn, params);
  const scored = peers.map((peer) => {
    const { hotkey, uid, figures: old, fast } = peer;
    const loss = drawn.losses.get(hotkey);
    const rating = ratings.get(hotkey) ?? old.rating;
    const poc = loss ? nextProofOfComputation(old.poc, loss.scores, params) : old.poc;
    const sync = fast.sync ?? old.sync;
    const gate = gateAfter(old.gate, allPass(peer), params);
    const figures: PeerFigures = {
      rating,
      poc,
      sync,
      gate,
      peerScore: peerScore({ ordinal: ordinal(rating, params.rating), poc, sync: sync ?? 0, gate }),
      weight: 0,
      rank: null,
      evaluations: old.evaluations + (loss ? 1 : 0),
      waited: drawn.hotkeys.has(hotkey) ? 0 : old.waited + 1,
      lastDelivered: peer.delivered ? window : old.lastDelivered,
      flags: [],
    };
    return { hotkey, uid, fast, figures };
  });
  const weights = incentiveWeights(
    scored.map(({ figures }) => figures.peerScore),
    // Profiles with weights of their own come with core/gauntlet/profiles.
    params.profile === 'paper' ? params.weightPower : 1,
  );
  const ranked = scored
    .map((peer, i) => ({ ...peer, weight: weights[i]! }))
    .sort(
      (a, b) =>
        b.figures.peerScore - a.figures.peerScore ||
        ordinal(b.figures.rating, params.rating) - ordinal(a.figures.rating, params.rating) ||
        a.uid - b.uid,
    );
  return new Map(
    ranked.map(({ hotkey, fast, figures, weight }, i) => [
      hotkey,
      { ...figures, weight, rank: i + 1, flags: flagsOf(figures, fast, params) },
    ]),
  );
}

/**
 * The figures of a peer that is not active: no weight, no rank, no further cuts, and a fresh start after a long absence.
 *
 * @returns undefined when nothing changes
 */
export function idleFigures(old: PeerFigures, window: number, params: GauntletParameters): PeerFigures | undefined {
  // Never delivered: nothing to take away.
  if (old.lastDelivered === 0) return undefined;
  if (window - old.lastDelivered >= params.resetAfterWindows) return freshFigures(params);
  if (old.flags.includes('inactive')) return undefined;
  return { ...old, weight: 0, rank: null, flags: ['inactive'] };
}
