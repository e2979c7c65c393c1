/**
 * Who is evaluated and who is aggregated. Both are functions of the window's beacon and of public figures, so that
 * anyone can check the choice; neither depends on the order in which peers are listed.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import type { Figures } from '../protocol/figures.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import { profileOf } from './profiles/profile-of.ts';
import { ordinal } from './rating.ts';
import type { ScoredPeer } from './scoring.ts';

/** A peer as it stands before its window's evaluations. */
export type EvaluationCandidate = Pick<ScoredPeer, 'hotkey' | 'before'>;

/** A peer as it stands after them. */
export interface AggregationCandidate extends Pick<
  ScoredPeer,
  'hotkey' | 'passed' | 'wellFormed' | 'lossScores' | 'overlap'
> {
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
  const pool = profileOf(params).pool(window, [...peers].sort(byHotkey), random);
  const left = pool.map(({ hotkey, before }) => ({ hotkey, tickets: before.waited + 1 })).sort(byHotkey);
  const drawn: string[] = [];
  while (drawn.length < params.evaluationsPerWindow && left.length > 0) {
    let ticket = random.below(left.reduce((sum, { tickets }) => sum + tickets, 0));
    const place = left.findIndex(({ tickets }) => (ticket -= tickets) < 0);
    drawn.push(left.splice(place, 1)[0]!.hotkey);
  }
  return drawn;
}

/**
 * Those whose contributions make the outer step, with equal weight: the best by peer score, as far as the profile takes
 * them. Equal scores are decided by ordinal, then by a hash that the beacon keys.
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
  const ordinalOf = ({ after }: AggregationCandidate): number => ordinal(after.rating, params.rating);
  const ranked = peers
    .map((peer) => ({ ...peer, lot: bytesToHex(seedFrom('aggregation', beacon, peer.hotkey)) }))
    .sort((a, b) => b.after.peerScore - a.after.peerScore || ordinalOf(b) - ordinalOf(a) || (a.lot < b.lot ? -1 : 1));
  return [...profileOf(params).aggregated(window, ranked)].sort(byHotkey).map(({ hotkey }) => hotkey);
}

function byHotkey(a: { readonly hotkey: string }, b: { readonly hotkey: string }): number {
  if (a.hotkey === b.hotkey) return 0;
  return a.hotkey < b.hotkey ? -1 : 1;
}
