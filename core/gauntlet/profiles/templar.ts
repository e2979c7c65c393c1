/**
 * The newest reference code (templar 2.1.28: validator.py, neurons.py). Where this departs from it, docs/gauntlet.md
 * says why.
 */
import type { Random } from '../../numerics/prng.ts';
import type { TemplarGauntlet } from '../../protocol/manifest.ts';
import { ordinal } from '../rating.ts';
import type { EvaluationCandidate } from '../selection.ts';
import { tieredWeights } from '../weights.ts';
import { isHarmless } from './paper.ts';
import type { GauntletProfile } from './profile.ts';
import { idleAfter, isExcluded, isNaughty, leastOverlap, templarConduct } from './templar-conduct.ts';

/** The constants of the reference (hparams.json of 2.1.28); those it has none of are the paper profile's. */
export const REFERENCE_TEMPLAR: TemplarGauntlet = {
  profile: 'templar-2.1',
  evaluationsPerWindow: 20,
  evaluationSeconds: 60,
  evaluationStepScale: 0.2,
  evaluationPages: 2,
  pocDecay: 0.95,
  rating: { mu: 25, sigma: 25 / 3, beta: 7, tau: 0.1, z: 3 },
  missingScore: -99,
  syncStatistic: 'interquartile-mean',
  syncThreshold: 2,
  syncMax: 3,
  syncExponent: 2.5,
  gateFactor: 0.75,
  topG: 20,
  probationEvaluations: 4,
  activeWindows: 2,
  // Inactive in the second window without a delivery, and then for more than three.
  resetAfterWindows: 6,
  evaluationBins: 5,
  // Ten windows after the first, and twenty outer steps.
  pocFloor: { value: 0.1, fromWindow: 11 },
  missing: { factors: [0.75, 0.5, 0], history: 8, naughtyShare: 0.5, naughtyWindows: 20 },
  negative: { history: 8, share: 0.5, factor: 0.25, inRow: 3, guardPlace: 5 },
  overlap: {
    fromWindow: 21,
    tiers: [
      { share: 0.4, factor: 0.5, naughtyWindows: 0 },
      { share: 0.5, factor: 0, naughtyWindows: 0 },
      { share: 0.6, factor: 0, naughtyWindows: 20 },
    ],
  },
  weights: { gather: 20, topRatio: 2, gatherShare: 0.75, reserve: 10, reserveDecay: 0.5, burnShare: 0.5 },
};

export function templarProfile(params: TemplarGauntlet): GauntletProfile {
  /** Peers of similar rating, where every bin has as many as are evaluated. */
  function oneBin(peers: readonly EvaluationCandidate[], random: Random): readonly EvaluationCandidate[] {
    const { evaluationBins: bins, evaluationsPerWindow } = params;
    if (peers.length < bins * evaluationsPerWindow) return peers;
    const ordinalOf = ({ before }: EvaluationCandidate): number => ordinal(before.rating, params.rating);
    const byOrdinal = [...peers].sort((a, b) => ordinalOf(a) - ordinalOf(b));
    const bin = random.below(bins);
    const edge = (i: number): number => Math.floor((i * peers.length) / bins);
    return byOrdinal.slice(edge(bin), edge(bin + 1));
  }

  const { pocFloor } = params;
  return {
    // Whoever starts afresh every window has nothing to gain by an evaluation.
    pool: (window, peers, random) =>
      oneBin(
        peers.filter(({ before }) => !isNaughty(before, window)),
        random,
      ),
    leastOverlap: (window) => (window < params.overlap.fromWindow ? null : leastOverlap(params)),
    conduct: (window, peers) => templarConduct(window, peers, params),
    countedPoc: (window, poc) => (window >= pocFloor.fromWindow && poc < pocFloor.value ? 0 : poc),
    weights: (peers) =>
      tieredWeights(
        peers.map(({ peerScore }) => peerScore),
        params.weights,
      ),
    aggregated(window, ranked) {
      // As in the reference a score that is not positive ranks behind all others, and keeps nobody out.
      const inLine = ranked.filter(({ after }) => !isNaughty(after, window) && !isExcluded(after, params));
      // The reserves stand behind the gathered: who fails makes room for the next.
      return inLine
        .slice(0, params.topG + params.weights.reserve)
        .filter((peer) => isHarmless(peer) && (peer.overlap?.share ?? 0) < leastOverlap(params))
        .slice(0, params.topG);
    },
    idle: (_window, before) => idleAfter(before, params),
  };
}
