/** The paper's mechanism (Gauntlet, arXiv 2505.21684), with the constants of its code. */
import type { GauntletParameters, PaperGauntlet } from '../../protocol/manifest.ts';
import { gateAfter } from '../peer-score.ts';
import type { AggregationCandidate } from '../selection.ts';
import { incentiveWeights } from '../weights.ts';
import type { GauntletProfile } from './profile.ts';

/** Whether a contribution passed every fast check and did not just prove harmful. */
export function isHarmless({ passed, lossScores }: AggregationCandidate): boolean {
  // Written so that a LossScore that is not a number counts as harmful.
  return passed && (lossScores === null || lossScores.random > 0);
}

/** Whether a peer has shown that it helps, or had no occasion yet. */
export function isTrusted(
  { after }: AggregationCandidate,
  { probationEvaluations }: Pick<GauntletParameters, 'probationEvaluations'>,
): boolean {
  return after.peerScore > 0 || after.evaluations < probationEvaluations;
}

/** One cut, the same for every failed check; weights by a power of the score; the best G that did no harm. */
export function paperProfile(params: PaperGauntlet): GauntletProfile {
  return {
    pool: (_window, peers) => peers,
    leastOverlap: () => null,
    conduct: () => ({
      standing: ({ before, passed }, measured) => ({
        ...measured,
        gate: gateAfter(before.gate, passed ? [] : [params.gateFactor], params),
        conduct: before.conduct,
        flags: [],
      }),
      verdicts: () => [],
    }),
    countedPoc: (_window, poc) => poc,
    weights: (peers) =>
      incentiveWeights(
        peers.map(({ peerScore }) => peerScore),
        params.weightPower,
      ),
    aggregated: (_window, ranked) =>
      ranked.filter((peer) => isHarmless(peer) && isTrusted(peer, params)).slice(0, params.topG),
    idle: (_window, before) =>
      before.flags.includes('inactive') ? undefined : { ...before, weight: 0, rank: null, flags: ['inactive'] },
  };
}
