/**
 * Who is evaluated and who is aggregated. Both are functions of the window's beacon and of public figures, so that
 * anyone can check the choice; neither depends on the order in which peers are listed.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { createRandom, seedFrom } from '../numerics/prng.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';

export interface EvaluationCandidate {
  readonly hotkey: string;
  /** Windows since it was last drawn. */
  readonly windowsWaited: number;
}

export interface AggregationCandidate {
  readonly hotkey: string;
  readonly passedFastChecks: boolean;
  /** LossScore on random data when it was evaluated in this window. */
  readonly evaluatedLossScoreRandom: number | null;
  readonly peerScore: number;
  readonly ordinal: number;
  /** How often it was evaluated, this window included. */
  readonly evaluations: number;
}

/**
 * Draws peers to evaluate without replacement, with weight windowsWaited + 1: whoever waited longer is likelier
 * (reference: templar validator.py, the selection counter).
 *
 * @param candidates distinct hotkeys, windowsWaited a non-negative integer
 * @param count how many, at most
 * @returns hotkeys in the order drawn
 */
export function drawEvaluations(
  candidates: readonly EvaluationCandidate[],
  count: number,
  beacon: Uint8Array,
): string[] {
  const random = createRandom(beacon, 'evaluations');
  const left = [...candidates].sort(byHotkey);
  const drawn: string[] = [];
  while (drawn.length < count && left.length > 0) {
    const total = left.reduce((sum, { windowsWaited }) => sum + windowsWaited + 1, 0);
    let ticket = random.below(total);
    const place = left.findIndex(({ windowsWaited }) => (ticket -= windowsWaited + 1) < 0);
    drawn.push(left.splice(place, 1)[0]!.hotkey);
  }
  return drawn;
}

/**
 * The top G by peer score (Gauntlet, arXiv 2505.21684), aggregated with equal weight. Eligible is who passed the fast
 * checks, did not just prove harmful (random LossScore ≤ 0 in this window), and has a positive score or is still on
 * probation. Equal scores are decided by ordinal, then by a hash that the beacon keys.
 *
 * @param candidates distinct hotkeys
 * @returns hotkeys in ascending order, the order of aggregation; empty when nobody is eligible
 */
export function selectAggregation(
  candidates: readonly AggregationCandidate[],
  params: Pick<GauntletParameters, 'topG' | 'probationEvaluations'>,
  beacon: Uint8Array,
): string[] {
  return candidates
    .filter((candidate) => isEligible(candidate, params.probationEvaluations))
    .map((candidate) => ({ ...candidate, lot: bytesToHex(seedFrom('aggregation', beacon, candidate.hotkey)) }))
    .sort((a, b) => b.peerScore - a.peerScore || b.ordinal - a.ordinal || (a.lot < b.lot ? -1 : 1))
    .slice(0, params.topG)
    .sort(byHotkey)
    .map(({ hotkey }) => hotkey);
}

function isEligible(candidate: AggregationCandidate, probationEvaluations: number): boolean {
  const { passedFastChecks, evaluatedLossScoreRandom: loss, peerScore, evaluations } = candidate;
  // Written so that a LossScore that is not a number counts as harmful.
  if (!passedFastChecks || (loss !== null && !(loss > 0))) return false;
  return peerScore > 0 || evaluations < probationEvaluations;
}

function byHotkey(a: { readonly hotkey: string }, b: { readonly hotkey: string }): number {
  if (a.hotkey === b.hotkey) return 0;
  return a.hotkey < b.hotkey ? -1 : 1;
}
