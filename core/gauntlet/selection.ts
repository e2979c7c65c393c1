/**
 * Who is evaluated and who is aggregated. Both are functions of the window's beacon and of public figures, so that
 * anyone can check the choice; neither depends on the order in which peers are listed.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import type { Figures } from '../protocol/figures.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import { ordinal } from './rating.ts';
import type { ScoredPeer } from './scoring.ts';

/** A peer as it stands before its window's evaluations. */
export type EvaluationCandidate = Pick<ScoredPeer, 'hotkey' | 'before'>;

/** A peer as it stands after them. */
export interface AggregationCandidate extends Pick<ScoredPeer, 'hotkey' | 'passed' | 'wellFormed' | 'lossScores'> {
  readonly after: Figures;
}

/**
 * The order in which peers come to be evaluated: drawn without replacement with weight waited + 1, so that whoever
 * waited longer is likelier (reference: templar validator.py, the selection counter).
 *
 * @param peers distinct hotkeys
 * @returns at most `evaluationsPerWindow` hotkeys
 */
export function drawEvaluations(
  window: number,
  peers: readonly EvaluationCandidate[],
  params: GauntletParameters,
  beacon: Uint8Array,
): string[] {
  const random = createRandom(beacon, 'evaluations');
  const left = peers.map(({ hotkey, before }) => ({ hotkey, tickets: before.waited + 1 })).sort(byHotkey);
  const drawn: string[] = [];
  while (drawn.length < params.evaluationsPerWindow && left.length > 0) {
    let ticket = random.below(left.reduce((sum, { tickets }) => sum + tickets, 0));
    const place = left.findIndex(({ tickets }) => (ticket -= tickets) < 0);
    drawn.push(left.splice(place, 1)[0]!.hotkey);
  }
  return drawn;
}

/**
 * The top G by peer score (Gauntlet, arXiv 2505.21684), aggregated with equal weight. Eligible is who passed the fast
 * checks, did not just prove harmful (random LossScore ≤ 0 in this window), and has a positive score or is still on
 * probation. Equal scores are decided by ordinal, then by a hash that the beacon keys.
 *
 * @param peers distinct hotkeys
 * @returns hotkeys in ascending order, the order of aggregation; empty when nobody is eligible
 */
export function selectAggregation(
  window: number,
  peers: readonly AggregationCandidate[],
  params: GauntletParameters,
  beacon: Uint8Array,
): string[] {
  return peers
    .filter((peer) => isEligible(peer, params))
    .map(({ hotkey, after }) => ({
      hotkey,
      score: after.peerScore,
      ordinal: ordinal(after.rating, params.rating),
      lot: bytesToHex(seedFrom('aggregation', beacon, hotkey)),
    }))
    .sort((a, b) => b.score - a.score || b.ordinal - a.ordinal || (a.lot < b.lot ? -1 : 1))
    .slice(0, params.topG)
    .sort(byHotkey)
    .map(({ hotkey }) => hotkey);
}

function isEligible({ passed, lossScores, after }: AggregationCandidate, params: GauntletParameters): boolean {
  // Written so that a LossScore that is not a number counts as harmful.
  if (!passed || (lossScores && !(lossScores.random > 0))) return false;
  return after.peerScore > 0 || after.evaluations < params.probationEvaluations;
}

function byHotkey(a: { readonly hotkey: string }, b: { readonly hotkey: string }): number {
  if (a.hotkey === b.hotkey) return 0;
  return a.hotkey < b.hotkey ? -1 : 1;
}
