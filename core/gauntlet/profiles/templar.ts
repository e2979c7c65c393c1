/**
 * The newest reference code (templar 2.1.28: validator.py, neurons.py). Where this departs from it, docs/gauntlet.md
 * says why.
 */
import type { Random } from '../../numerics/prng.ts';
import type { Verdict } from '../../protocol/api.ts';
import type { Conduct, Figures } from '../../protocol/figures.ts';
import type { TemplarGauntlet } from '../../protocol/manifest.ts';
import { gateAfter } from '../peer-score.ts';
import { freshRating, ordinal } from '../rating.ts';
import type { ScoredPeer } from '../scoring.ts';
import type { EvaluationCandidate } from '../selection.ts';
import { tieredWeights } from '../weights.ts';
import { isHarmless, isTrusted } from './paper.ts';
import type { GauntletProfile, Measured, Standing } from './profile.ts';

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

type Tier = TemplarGauntlet['overlap']['tiers'][number];

/** Something that a peer did, and what it costs. */
interface Finding extends Pick<Verdict, 'check' | 'reason' | 'value' | 'threshold'> {
  /** Multiplies the gate, and μ where that is positive; 1 cuts nothing. */
  readonly factor: number;
  /** Rating, μ and gate start afresh. */
  readonly reset: boolean;
  /** Last window of the ban that it brings, 0 for none. */
  readonly naughtyUntil: number;
}

const finding = (check: Finding['check'], reason: string, rest: Partial<Finding>): Finding => ({
  check,
  reason,
  value: null,
  threshold: null,
  factor: 1,
  reset: false,
  naughtyUntil: 0,
  ...rest,
});

const isNegative = ({ lossScores }: Pick<ScoredPeer, 'lossScores'>): boolean =>
  lossScores !== null && !(lossScores.random > 0);

const count = (history: string, digit: string): number => history.split(digit).length - 1;

const cutsBy = (factor: number): string => `its score and μ are multiplied by ${factor}`;

/** A cut that is never made to raise a negative number. */
const cut = (value: number, factor: number): number => (value > 0 ? value * factor : value);

export function templarProfile(params: TemplarGauntlet): GauntletProfile {
  const { missing, negative, overlap, gateFactor } = params;

  const isNaughty = ({ naughtyUntil }: Conduct, window: number): boolean => window <= naughtyUntil;
  const isExcluded = ({ negativesInRow }: Conduct): boolean => negativesInRow >= negative.inRow;

  /** Misses in a row after another one; those of a peer that stood to lose nothing are not counted. */
  const missesAfter = ({ weight, conduct: { missesInRow } }: Figures): number =>
    missesInRow > 0 || weight > 0 ? missesInRow + 1 : 0;

  const factorOfMisses = (inRow: number): number =>
    inRow === 0 ? gateFactor : missing.factors[Math.min(inRow, missing.factors.length) - 1]!;

  /** Whether even a good place of this window raised the loss: then it is the window's pages or the model. */
  function isGuarded(peers: readonly ScoredPeer[]): boolean {
    const scores = peers.flatMap(({ lossScores }) => (lossScores ? [lossScores.random] : []));
    const place = scores.sort((a, b) => b - a)[negative.guardPlace - 1];
    return place !== undefined && !(place > 0);
  }

  /** The histories with this window in them. */
  function conductAfter(peer: ScoredPeer, guarded: boolean): Conduct {
    const { before, delivered, lossScores } = peer;
    const { conduct } = before;
    const missesInRow = delivered ? 0 : missesAfter(before);
    const deliveries = delivered || missesInRow > 0 ? conduct.deliveries + (delivered ? '1' : '0') : conduct.deliveries;
    const counts = lossScores !== null && !(guarded && isNegative(peer));
    return {
      deliveries: deliveries.slice(-missing.history),
      missesInRow,
      evaluations: (counts ? conduct.evaluations + (isNegative(peer) ? '0' : '1') : conduct.evaluations).slice(
        -negative.history,
      ),
      negativesInRow: !counts ? conduct.negativesInRow : isNegative(peer) ? conduct.negativesInRow + 1 : 0,
      naughtyUntil: conduct.naughtyUntil,
    };
  }

  /** What is held against a peer; `conduct` has this window in it. */
  function findingsOf(window: number, peer: ScoredPeer, conduct: Conduct): Finding[] {
    const found: Finding[] = [];
    const { before, delivered, passed } = peer;
    if (!delivered) {
      const factor = factorOfMisses(conduct.missesInRow);
      const which = conduct.missesInRow > 1 ? `, the ${conduct.missesInRow}th in a row` : '';
      found.push(finding('conduct', `A window without a contribution${which}: ${cutsBy(factor)}.`, { factor }));
      const misses = count(conduct.deliveries, '0');
      const allowed = missing.naughtyShare * missing.history;
      if (misses >= allowed && conduct.missesInRow > 0) {
        const naughtyUntil = window + missing.naughtyWindows;
        const reason = `It missed ${misses} of its last ${missing.history} windows: it starts afresh, and is banned up to window ${naughtyUntil}.`;
        found.push(finding('conduct', reason, { value: misses, threshold: allowed, reset: true, naughtyUntil }));
      }
    } else if (!passed) {
      found.push(finding('conduct', `It failed a fast check: ${cutsBy(gateFactor)}.`, { factor: gateFactor }));
    }
    const tier = tierOf(peer);
    if (peer.overlap && tier) {
      const { share, with: other } = peer.overlap;
      const naughtyUntil = tier.naughtyWindows > 0 ? window + tier.naughtyWindows : 0;
      const effect = tier.factor > 0 ? cutsBy(tier.factor) : 'it starts afresh';
      const ban = naughtyUntil > 0 ? `, and is banned up to window ${naughtyUntil}` : '';
      const reason = `It keeps ${(100 * share).toFixed(1)} % of the indices that ${other} had uploaded before: ${effect}${ban}.`;
      const { factor } = tier;
      const reset = factor === 0;
      found.push(
        finding('overlap', reason, { value: share, threshold: tier.share, factor: factor || 1, reset, naughtyUntil }),
      );
    }
    if (peer.lossScores && count(conduct.evaluations, '0') > negative.share * negative.history) {
      const { factor } = negative;
      const value = count(conduct.evaluations, '0');
      const reason = `${value} of its last ${negative.history} evaluations raised the loss: ${cutsBy(factor)}.`;
      found.push(finding('conduct', reason, { value, threshold: negative.share * negative.history, factor }));
    }
    if (isExcluded(conduct)) {
      const reason = `Its last ${conduct.negativesInRow} evaluations raised the loss: it is not aggregated until one lowers it.`;
      found.push(finding('conduct', reason, { value: conduct.negativesInRow, threshold: negative.inRow }));
    }
    if (isNaughty(before.conduct, window)) {
      const reason = `It is banned up to window ${before.conduct.naughtyUntil}: it starts afresh every window and is not aggregated.`;
      found.push(finding('conduct', reason, { reset: true }));
    }
    return found;
  }

  /** The highest tier that a contribution's overlap reaches. */
  const tierOf = ({ overlap: copy }: Pick<ScoredPeer, 'overlap'>): Tier | undefined =>
    copy ? overlap.tiers.findLast(({ share }) => copy.share >= share) : undefined;

  function standing(
    window: number,
    peer: ScoredPeer,
    measured: Measured,
    conduct: Conduct,
    found: readonly Finding[],
  ): Standing {
    const naughtyUntil = Math.max(conduct.naughtyUntil, ...found.map((one) => one.naughtyUntil));
    const isNewBan = naughtyUntil > conduct.naughtyUntil;
    const after: Conduct = {
      ...conduct,
      naughtyUntil,
      // What a ban was given for is paid for with it.
      deliveries: isNewBan ? '' : conduct.deliveries,
    };
    const flags = [
      ...(isNaughty(after, window) ? ['naughty'] : []),
      ...(isExcluded(after) ? ['excluded'] : []),
      ...(tierOf(peer) ? ['copied'] : []),
    ];
    if (found.some(({ reset }) => reset)) {
      return { rating: freshRating(params.rating), poc: 0, gate: 1, conduct: after, flags };
    }
    const cuts = found.map(({ factor }) => factor).filter((factor) => factor < 1);
    return {
      rating: measured.rating,
      poc: cuts.reduce(cut, measured.poc),
      gate: gateAfter(peer.before.gate, cuts, params, missing.history),
      conduct: after,
      flags,
    };
  }

  /** Peers of similar rating, where every bin has as many as are evaluated. @param peers by hotkey */
  function oneBin(peers: readonly EvaluationCandidate[], random: Random): readonly EvaluationCandidate[] {
    const bins = params.evaluationBins;
    if (peers.length < bins * params.evaluationsPerWindow) return peers;
    const ordinalOf = ({ before }: EvaluationCandidate): number => ordinal(before.rating, params.rating);
    const byOrdinal = [...peers].sort((a, b) => ordinalOf(a) - ordinalOf(b));
    const bin = random.below(bins);
    const edge = (i: number): number => Math.floor((i * peers.length) / bins);
    return byOrdinal.slice(edge(bin), edge(bin + 1));
  }

  return {
    pool: (window, peers, random) =>
      oneBin(
        peers.filter(({ before }) => !isNaughty(before.conduct, window)),
        random,
      ),
    leastOverlap: (window) => (window < overlap.fromWindow ? null : overlap.tiers[0]!.share),
    conduct(window, peers) {
      const guarded = isGuarded(peers);
      return {
        standing(peer, measured) {
          const conduct = conductAfter(peer, guarded);
          return standing(window, peer, measured, conduct, findingsOf(window, peer, conduct));
        },
        verdicts: (peer) =>
          findingsOf(window, peer, conductAfter(peer, guarded)).map(({ check, reason, value, threshold }) => ({
            window,
            check,
            pass: false,
            reason,
            value,
            threshold,
          })),
      };
    },
    countedPoc: (window, poc) => (window >= params.pocFloor.fromWindow && poc < params.pocFloor.value ? 0 : poc),
    weights: (peers) =>
      tieredWeights(
        peers.map(({ peerScore }) => peerScore),
        params.weights,
      ),
    aggregated(window, ranked) {
      const inLine = ranked.filter(
        (peer) => isTrusted(peer, params) && !isNaughty(peer.after.conduct, window) && !isExcluded(peer.after.conduct),
      );
      // The reserves stand behind the gathered: who fails makes room for the next.
      return inLine
        .slice(0, params.topG + params.weights.reserve)
        .filter((peer) => isHarmless(peer) && !tierOf(peer))
        .slice(0, params.topG);
    },
    idle(_window, before) {
      const missesInRow = missesAfter(before);
      const factor = factorOfMisses(missesInRow);
      return {
        ...before,
        poc: cut(before.poc, factor),
        gate: before.gate * factor,
        // Both factors of it were cut.
        peerScore: cut(before.peerScore, factor * factor),
        weight: 0,
        rank: null,
        flags: ['inactive'],
        conduct: { ...before.conduct, missesInRow },
      };
    },
  };
}
