import { describe, expect, it } from 'vitest';
import type { PeerHistoryPoint, Verdict } from '../../core/protocol/api.ts';
import { outcomeOf } from './outcome.ts';

const point = (window: number, of: Partial<PeerHistoryPoint> = {}): PeerHistoryPoint => ({
  window,
  rating: { mu: 25, sigma: 8, ordinal: 1 },
  poc: 0,
  sync: 1,
  peerScore: 0,
  weight: 0,
  rank: 1,
  aggregated: false,
  lossScore: null,
  ...of,
});
const verdict = (window: number, check: Verdict['check'], pass: boolean): Verdict => ({
  window,
  check,
  pass,
  reason: `${check} of ${window}.`,
  value: null,
  threshold: null,
});

describe('what became of a delivery', () => {
  it('is open until its window is published', () => {
    expect(outcomeOf(undefined, 3)).toEqual({ kind: 'pending' });
    expect(outcomeOf({ history: [point(2)], verdicts: [] }, 3)).toEqual({ kind: 'pending' });
  });

  it('is a refusal when a check failed, and not when only the loss rose', () => {
    const verdicts = [verdict(3, 'sync', false), verdict(2, 'loss', false)];
    const history = [point(2, { lossScore: { assigned: -0.1, random: 0 } }), point(3)];
    expect(outcomeOf({ history, verdicts }, 3)).toEqual({ kind: 'refused', reason: 'sync of 3.' });
    expect(outcomeOf({ history, verdicts }, 2)).toEqual({ kind: 'judged', gain: -0.1, aggregated: false });
  });

  it('says whether it was scored and is in the model', () => {
    expect(outcomeOf({ history: [point(3, { aggregated: true })], verdicts: [] }, 3)).toEqual({
      kind: 'judged',
      gain: undefined,
      aggregated: true,
    });
  });
});
