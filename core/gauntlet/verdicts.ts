/** The verdicts that follow from scoring, after those of the fast checks. */
import type { Verdict } from '../protocol/api.ts';
import type { Figures } from '../protocol/figures.ts';
import type { ScoredPeer } from './scoring.ts';

/**
 * What being drawn for evaluation came to.
 *
 * @param after the peer's figures after the window
 * @returns in the order in which the checks are made, empty for a peer that nothing was found out about
 */
export function scoredVerdicts(window: number, { drawn, lossScores }: ScoredPeer, after: Figures): Verdict[] {
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
