import { describe, expect, it } from 'vitest';
import type { PeerState, Verdict } from '../../core/protocol/api.ts';
import { explainScore, scoreParts, verdictsByWindow } from './explain.ts';

const GOOD: PeerState = {
  hotkey: '5'.repeat(48),
  uid: 1,
  firstWindow: 1,
  contributions: { accepted: 5, rejected: 0, evaluated: 2, aggregated: 3 },
  poc: 0.4,
  rating: { mu: 28, sigma: 4, ordinal: 16 },
  sync: 0.9,
  delegation: { issuedAt: '2026-01-01T00:00:00Z', expiresAt: '2026-02-01T00:00:00Z', revokedAt: null },
  gate: 0.75,
  conduct: { deliveries: '11', missesInRow: 0, evaluations: '11', negativesInRow: 0, naughtyUntil: 0 },
  peerScore: 16 * 0.4 * 0.9 * 0.75,
  weight: 0.2,
  rank: 2,
  flags: [],
  verdicts: [],
  history: [],
  receipts: [],
};

function verdict(window: number, check: Verdict['check'], pass = true): Verdict {
  return { window, check, pass, reason: `${check} of ${window}.`, value: null, threshold: null };
}

describe('score', () => {
  it('is the product of its parts', () => {
    const product = scoreParts(GOOD).reduce((score, { value }) => score * (value ?? 1), 1);
    expect(product).toBeCloseTo(GOOD.peerScore);
    expect(scoreParts({ ...GOOD, poc: -0.3 })[1]!.value).toBe(0);
  });

  it.each([
    [{ contributions: { accepted: 0, rejected: 0, evaluated: 0, aggregated: 0 } }, /judged yet/],
    [
      {
        contributions: { accepted: 0, rejected: 1, evaluated: 0, aggregated: 0 },
        verdicts: [verdict(1, 'in-time', false)],
      },
      /last reason: in-time of 1/,
    ],
    [{ contributions: { accepted: 2, rejected: 0, evaluated: 0, aggregated: 0 } }, /not been drawn yet/],
    [{ sync: 0 }, /not those of the run/],
    [{ poc: -0.1 }, /could not be told/],
    [{ rating: { mu: 25, sigma: 8.3, ordinal: 0 } }, /too uncertain/],
    [{ gate: 0.75 }, /0\.75/],
    [{ gate: 1 }, /full score/],
    [
      { flags: ['naughty'], verdicts: [verdict(4, 'sync', false), verdict(3, 'conduct', false)] },
      /banned.*conduct of 3/,
    ],
    [{ flags: ['copied', 'gated'], verdicts: [verdict(3, 'overlap', false)] }, /a copy.*overlap of 3/],
    [{ flags: ['excluded'] }, /left out of the model for now\.$/],
  ] satisfies [Partial<PeerState>, RegExp][])('is explained: %j', (change, expected) => {
    expect(explainScore({ ...GOOD, ...change })).toMatch(expected);
  });
});

describe('verdicts', () => {
  it('are grouped by window, newest first', () => {
    const groups = verdictsByWindow([verdict(3, 'sync', false), verdict(3, 'format'), verdict(2, 'format')]);
    expect(
      groups.map(({ window, verdicts, failed }) => [window, verdicts.map(({ check }) => check), failed.length]),
    ).toEqual([
      [3, ['format', 'sync'], 1],
      [2, ['format'], 0],
    ]);
  });
});
