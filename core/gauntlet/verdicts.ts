/** The verdicts that follow from scoring, after those of the fast checks. */
import type { Verdict } from '../protocol/api.ts';
import type { Figures } from '../protocol/figures.ts';
import type { GauntletParameters } from '../protocol/manifest.ts';
import { profileOf } from './profiles/profile-of.ts';
import type { ScoredPeer } from './scoring.ts';

type ScoredAfter = ScoredPeer & { readonly after: Figures };

/**
 * What overlap, evaluation and conduct came to.
 *
 * @param peers everybody who took part, with the figures that `scoreWindow` gave
 * @returns for each peer in the order in which the checks are made, empty where nothing was found out
 */
export function scoredVerdicts(window: number, peers: readonly ScoredAfter[], params: GauntletParameters): Verdict[][] {
  const conduct = profileOf(params).conduct(window, peers);
  return peers.map((peer) => {
    const found = conduct.verdicts(peer);
    return [
      ...found.filter(({ check }) => check === 'overlap'),
      ...evaluationVerdicts(window, peer),
      ...found.filter(({ check }) => check !== 'overlap'),
    ];
  });
}

/** What a peer hears that is not active, when that begins and when it starts afresh. */
export function idleVerdicts(window: number, { before, after }: Pick<ScoredAfter, 'before' | 'after'>): Verdict[] {
  const away = window - before.lastDelivered;
  const verdict = (reason: string): Verdict[] => [
    { window, check: 'conduct', pass: false, reason, value: away, threshold: null },
  ];
  if (!after.flags.includes('inactive')) return verdict(`Nothing arrived for ${away} windows: it starts afresh.`);
  if (before.flags.includes('inactive')) return [];
  return verdict(`Nothing arrived for ${away} windows: it is inactive, without weight and evaluation.`);
}

function evaluationVerdicts(window: number, { drawn, lossScores, after }: ScoredAfter): Verdict[] {
  if (!drawn) return [];
  if (!lossScores) {
    const reason = 'It was drawn for evaluation and there was nothing valid to evaluate: it ranks last in this window.';
    return [{ window, check: 'loss', pass: false, reason, value: null, threshold: null }];
  }
  const { assigned, random } = lossScores;
  return [
    {
      window,
      check: 'loss',
      pass: random > 0,
      reason: `A fraction of its step ${gained(random)} a token on random pages.`,
      value: random,
      threshold: 0,
    },
    {
      window,
      check: 'proof-of-computation',
      pass: assigned > random,
      reason: `On its own pages it ${gained(assigned)} a token, on random pages it ${gained(random)}; μ is now ${after.poc.toFixed(3)}.`,
      value: assigned - random,
      threshold: 0,
    },
  ];
}

const gained = (score: number): string =>
  `${score >= 0 ? 'lowers' : 'raises'} the loss by ${Math.abs(score).toPrecision(3)} nats`;
