/**
 * Conduct in templar 2.1 (validator.py, its penalties): what a peer did wrong, what it costs, and the sentence that says
 * so, found in one place so that figures and verdicts cannot differ.
 */
import type { Verdict } from '../../protocol/api.ts';
import type { Conduct, Figures } from '../../protocol/figures.ts';
import type { TemplarGauntlet } from '../../protocol/manifest.ts';
import { gateAfter } from '../peer-score.ts';
import { freshRating, ordinal } from '../rating.ts';
import type { ScoredPeer } from '../scoring.ts';
import type { Measured, Standing, WindowConduct } from './profile.ts';

interface Finding extends Pick<Verdict, 'check' | 'reason' | 'value' | 'threshold'> {
  /** Multiplies the gate, and μ where that is positive; 1 cuts nothing. */
  readonly factor: number;
  /** Rating, μ and gate start afresh. */
  readonly reset: boolean;
  /** Last window of the ban that it brings, 0 for none. */
  readonly naughtyUntil: number;
}

const finding = (check: Finding['check'], reason: string, rest: Partial<Finding> = {}): Finding => ({
  check,
  reason,
  value: null,
  threshold: null,
  factor: 1,
  reset: false,
  naughtyUntil: 0,
  ...rest,
});

const isNegative = (random: number): boolean => !(random > 0);

/** How many of a history's entries are bad. */
const bad = (history: string): number => history.split('0').length - 1;

/** A cut that is never made to raise a negative number. */
const cut = (value: number, factor: number): number => (value > 0 ? value * factor : value);

const cutsBy = (factor: number): string => `score and μ are multiplied by ${factor}`;

/** The smallest share of common indices that has a consequence. */
export function leastOverlap({ overlap }: Pick<TemplarGauntlet, 'overlap'>): number {
  return overlap.tiers[0]!.share;
}

/** Whether a ban is in force. */
export function isNaughty({ conduct }: Figures, window: number): boolean {
  return window <= conduct.naughtyUntil;
}

/** Whether a peer raised the loss so often in a row that it is aggregated again only after it lowered it. */
export function isExcluded({ conduct }: Figures, { negative }: Pick<TemplarGauntlet, 'negative'>): boolean {
  return conduct.negativesInRow >= negative.inRow;
}

/** Misses in a row after another one; those of a peer that had nothing to lose are not counted. */
function missesAfter({ weight, conduct: { missesInRow } }: Figures): number {
  return missesInRow > 0 || weight > 0 ? missesInRow + 1 : 0;
}

function factorOfMisses(inRow: number, { missing, gateFactor }: TemplarGauntlet): number {
  return inRow === 0 ? gateFactor : missing.factors[Math.min(inRow, missing.factors.length) - 1]!;
}

/** Whether even a good place of this window raised the loss: then it is the pages or the model, and not the peers. */
function isGuarded(peers: readonly ScoredPeer[], { negative }: TemplarGauntlet): boolean {
  const scores = peers.flatMap(({ lossScores }) => (lossScores ? [lossScores.random] : []));
  const place = scores.sort((a, b) => b - a)[negative.guardPlace - 1];
  return place !== undefined && isNegative(place);
}

/** The histories with this window in them. */
function conductAfter(peer: ScoredPeer, guarded: boolean, { missing, negative }: TemplarGauntlet): Conduct {
  const { before, delivered, lossScores } = peer;
  const { conduct } = before;
  const missesInRow = delivered ? 0 : missesAfter(before);
  const delivery = delivered ? '1' : missesInRow > 0 ? '0' : '';
  const harmed = lossScores !== null && isNegative(lossScores.random);
  const evaluation = lossScores === null || (harmed && guarded) ? '' : harmed ? '0' : '1';
  return {
    deliveries: (conduct.deliveries + delivery).slice(-missing.history),
    missesInRow,
    evaluations: (conduct.evaluations + evaluation).slice(-negative.history),
    negativesInRow: evaluation === '' ? conduct.negativesInRow : harmed ? conduct.negativesInRow + 1 : 0,
    naughtyUntil: conduct.naughtyUntil,
  };
}

function absence(window: number, conduct: Conduct, params: TemplarGauntlet): Finding[] {
  const { missing } = params;
  const { missesInRow } = conduct;
  const factor = factorOfMisses(missesInRow, params);
  const which = missesInRow > 1 ? `No contribution for ${missesInRow} windows` : 'A window without a contribution';
  const found = [finding('conduct', `${which}: ${cutsBy(factor)}.`, { factor })];
  const value = bad(conduct.deliveries);
  const threshold = missing.naughtyShare * missing.history;
  if (missesInRow > 0 && value >= threshold) {
    const naughtyUntil = window + missing.naughtyWindows;
    const reason = `It missed ${value} of its last ${missing.history} windows: it starts afresh and is banned up to window ${naughtyUntil}.`;
    found.push(finding('conduct', reason, { value, threshold, reset: true, naughtyUntil }));
  }
  return found;
}

function copying(window: number, { overlap: copy }: ScoredPeer, { overlap }: TemplarGauntlet): Finding[] {
  const tier = copy ? overlap.tiers.findLast(({ share }) => copy.share >= share) : undefined;
  if (!copy || !tier) return [];
  const { share: threshold, factor, naughtyWindows } = tier;
  const naughtyUntil = naughtyWindows > 0 ? window + naughtyWindows : 0;
  const ban = naughtyUntil > 0 ? ` and is banned up to window ${naughtyUntil}` : '';
  const effect = factor > 0 ? cutsBy(factor) : `it starts afresh${ban}`;
  const reason = `${(100 * copy.share).toFixed(1)} % of the indices it keeps are those that ${copy.with} uploaded before: ${effect}.`;
  const reset = factor === 0;
  return [
    finding('overlap', reason, { value: copy.share, threshold, factor: reset ? 1 : factor, reset, naughtyUntil }),
  ];
}

function negatives({ lossScores }: ScoredPeer, conduct: Conduct, { negative }: TemplarGauntlet): Finding[] {
  const { history, share, factor, inRow } = negative;
  const found: Finding[] = [];
  const value = bad(conduct.evaluations);
  if (lossScores && value > share * history) {
    const reason = `${value} of its last ${history} evaluations raised the loss: ${cutsBy(factor)}.`;
    found.push(finding('conduct', reason, { value, threshold: share * history, factor }));
  }
  if (conduct.negativesInRow >= inRow) {
    const reason = `Its last ${conduct.negativesInRow} evaluations raised the loss: it is not aggregated until one lowers it.`;
    found.push(finding('conduct', reason, { value: conduct.negativesInRow, threshold: inRow }));
  }
  return found;
}

/** All that is held against a peer; `conduct` has this window in it. */
function findingsOf(window: number, peer: ScoredPeer, conduct: Conduct, params: TemplarGauntlet): Finding[] {
  const { gateFactor: factor } = params;
  const failed = finding('conduct', `A fast check failed: ${cutsBy(factor)}.`, { factor });
  const banned = finding(
    'conduct',
    `It is banned up to window ${conduct.naughtyUntil}: it starts afresh every window and is not aggregated.`,
    { reset: true },
  );
  return [
    ...(peer.delivered ? (peer.passed ? [] : [failed]) : absence(window, conduct, params)),
    ...copying(window, peer, params),
    ...negatives(peer, conduct, params),
    ...(isNaughty(peer.before, window) ? [banned] : []),
  ];
}

function standingAfter(
  { before }: ScoredPeer,
  measured: Measured,
  conduct: Conduct,
  found: readonly Finding[],
  params: TemplarGauntlet,
): Omit<Standing, 'flags'> {
  const naughtyUntil = Math.max(conduct.naughtyUntil, ...found.map((one) => one.naughtyUntil));
  // What a ban was given for is paid for with it.
  const deliveries = naughtyUntil > conduct.naughtyUntil ? '' : conduct.deliveries;
  const after = { ...conduct, naughtyUntil, deliveries };
  if (found.some(({ reset }) => reset)) return { rating: freshRating(params.rating), poc: 0, gate: 1, conduct: after };
  const cuts = found.map(({ factor }) => factor).filter((factor) => factor < 1);
  return {
    rating: measured.rating,
    // Of a negative rating a smaller μ would make a greater score.
    poc: ordinal(measured.rating, params.rating) > 0 ? cuts.reduce(cut, measured.poc) : measured.poc,
    gate: gateAfter(before.gate, cuts, params, params.missing.history),
    conduct: after,
  };
}

/** What a window says about everybody's conduct. @param peers everybody who takes part */
export function templarConduct(window: number, peers: readonly ScoredPeer[], params: TemplarGauntlet): WindowConduct {
  const guarded = isGuarded(peers, params);
  const look = (peer: ScoredPeer): { conduct: Conduct; found: Finding[] } => {
    const conduct = conductAfter(peer, guarded, params);
    return { conduct, found: findingsOf(window, peer, conduct, params) };
  };
  return {
    standing(peer, measured) {
      const { conduct, found } = look(peer);
      const standing = standingAfter(peer, measured, conduct, found, params);
      const flags = [
        ...(window <= standing.conduct.naughtyUntil ? ['naughty'] : []),
        ...(standing.conduct.negativesInRow >= params.negative.inRow ? ['excluded'] : []),
        ...(found.some(({ check }) => check === 'overlap') ? ['copied'] : []),
      ];
      return { ...standing, flags };
    },
    verdicts: (peer) =>
      look(peer).found.map(({ check, reason, value, threshold }) => ({
        window,
        check,
        pass: false,
        reason,
        value,
        threshold,
      })),
  };
}

/** Inactive peers are cut on: as for misses in a row where they had a weight, by `gateFactor` a window where not. */
export function idleAfter(before: Figures, params: TemplarGauntlet): Figures {
  const missesInRow = missesAfter(before);
  const factor = factorOfMisses(missesInRow, params);
  return {
    ...before,
    poc: ordinal(before.rating, params.rating) > 0 ? cut(before.poc, factor) : before.poc,
    gate: before.gate * factor,
    // Both of these are factors of it.
    peerScore: cut(before.peerScore, factor * factor),
    weight: 0,
    rank: null,
    flags: ['inactive'],
    conduct: { ...before.conduct, missesInRow },
  };
}
