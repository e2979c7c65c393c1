import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../core/protocol/api.ts';
import { assess, missedWindows, type Reading } from './alerts.ts';

const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const reading = (of: Partial<Reading> = {}): Reading => ({
  subject: 'run 5F',
  name: 'Your key',
  at: 'window 10',
  rank: 5,
  ranked: 40,
  missed: null,
  delegationExpiresAt: null,
  chain: null,
  ...of,
});
const kinds = (before: Reading | undefined, present: Reading): string[] =>
  assess(before, present, NOW).alerts.map(({ kind }) => kind);

describe('rank', () => {
  it('falls by a tenth of all that are ranked before anybody is told', () => {
    expect(kinds(reading(), reading({ rank: 8 }))).toEqual([]);
    expect(kinds(reading(), reading({ rank: 9 }))).toEqual(['rank-drop']);
    expect(kinds(reading({ ranked: 4, rank: 1 }), reading({ ranked: 4, rank: 2 }))).toEqual(['rank-drop']);
    expect(kinds(reading({ rank: 9 }), reading({ rank: 5 }))).toEqual([]);
    expect(kinds(undefined, reading({ rank: 40 }))).toEqual([]);
    expect(kinds(reading({ rank: null }), reading({ rank: 40 }))).toEqual([]);
  });

  it('is told when it falls slowly, once, and from where it began', () => {
    let before: Reading | undefined;
    const told: string[] = [];
    for (const [i, rank] of [5, 6, 7, 8, 9, 10, 11].entries()) {
      const { alerts, baseline } = assess(before, reading({ rank, at: `window ${i}` }), NOW);
      told.push(...alerts.map(({ text }) => text));
      before = baseline;
    }
    expect(told).toEqual(['From rank 5 at window 0 to 9 of 40 at window 4.']);
  });

  it('is measured from the best since', () => {
    const { baseline } = assess(reading({ rank: 20 }), reading({ rank: 5 }), NOW);
    expect(kinds(baseline, reading({ rank: 9 }))).toEqual(['rank-drop']);
  });
});

describe('missed windows', () => {
  const verdict = (window: number, pass: boolean, check: Verdict['check'] = 'delivered'): Verdict => ({
    window,
    check,
    pass,
    reason: '',
    value: null,
    threshold: null,
  });

  it('are those since the last delivery', () => {
    expect(missedWindows([])).toBeNull();
    expect(missedWindows([verdict(9, true, 'sync'), verdict(9, true), verdict(8, false)])).toBeNull();
    expect(missedWindows([verdict(9, false)])).toEqual({ first: 9, last: 9 });
    expect(missedWindows([verdict(9, false), verdict(8, false), verdict(7, true), verdict(6, false)])).toEqual({
      first: 8,
      last: 9,
    });
    // Checks of a window that was delivered end the count whatever their order.
    expect(missedWindows([verdict(9, false), verdict(8, true, 'loss'), verdict(8, true)])).toEqual({
      first: 9,
      last: 9,
    });
  });

  it('are one event however many there are', () => {
    const one = assess(undefined, reading({ missed: { first: 8, last: 8 } }), NOW).alerts[0]!;
    const two = assess(undefined, reading({ missed: { first: 8, last: 9 } }), NOW).alerts[0]!;
    expect(one.title).toBe('Your key missed 1 window');
    expect(two.title).toBe('Your key missed 2 windows');
    expect(two.id).toBe(one.id);
  });
});

describe('delegation', () => {
  it('is spoken of in its last three days, and when it is over', () => {
    const expiring = (delegationExpiresAt: string) => assess(undefined, reading({ delegationExpiresAt }), NOW).alerts;
    expect(expiring('2026-06-04T00:00:01.000Z')).toEqual([]);
    const [soon] = expiring('2026-06-02T00:00:00.000Z');
    expect(soon?.title).toBe('Your key: the delegation runs out in 24 hours');
    const [over] = expiring('2026-06-01T00:00:00.000Z');
    expect(over?.title).toBe('Your key: the delegation has run out');
    expect(expiring('2026-06-02T00:00:00.000Z')[0]!.id).toBe(soon!.id);
  });
});

describe('registration', () => {
  const at = (place: number): Reading => reading({ chain: { registered: true, risk: { kind: 'exposed', place } } });
  const gone = reading({ chain: { registered: false, risk: null } });

  it('is at risk for those who go with the next few', () => {
    expect(kinds(undefined, at(1))).toEqual(['deregistration-risk']);
    expect(kinds(undefined, at(3))).toEqual(['deregistration-risk']);
    expect(kinds(undefined, at(4))).toEqual([]);
    expect(kinds(undefined, reading({ chain: { registered: true, risk: { kind: 'immune', blocksLeft: 1 } } }))).toEqual(
      [],
    );
  });

  it('is lost by who had it, once', () => {
    expect(kinds(undefined, gone)).toEqual([]);
    const first = assess(at(9), gone, NOW);
    expect(first.alerts.map(({ kind }) => kind)).toEqual(['deregistered']);
    expect(kinds(first.baseline, gone)).toEqual([]);
  });
});
