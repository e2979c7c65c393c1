import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stoppedBy } from '../../core/gauntlet/stopped-by.ts';
import { CheckSchema, type Check, type Evaluation, type WindowRecord } from '../../core/protocol/api.ts';
import { summaryOf, type PeerVerdict } from './summary.ts';

const shape = { data: { pageSequences: 4 }, model: { contextLength: 128 } } as Parameters<typeof summaryOf>[3];

const recordOf = (
  hotkeys: readonly string[],
  aggregated: readonly string[],
  evaluated: readonly { hotkey: string; before: number; after: number }[] = [],
): WindowRecord =>
  ({
    window: 3,
    lossBefore: 4,
    lossAfter: 3,
    participants: hotkeys.length,
    contributions: hotkeys.map((hotkey) => ({ hotkey, bytes: 100, pagesTrained: 2, sha256: '', arrivedAt: '' })),
    aggregated: [...aggregated],
    evaluated: evaluated.map(({ hotkey, ...random }) => ({ hotkey, random }) as unknown as Evaluation),
    stateRoot: null,
    outerStep: null,
  }) as unknown as WindowRecord;

const verdict = (hotkey: string, check: Check, pass = false): PeerVerdict => ({
  hotkey,
  verdict: { window: 3, check, pass, reason: '', value: null, threshold: null },
});

describe('the summary of a window', () => {
  it('counts a peer once, under the first check that failed', () => {
    const judged = [verdict('a', 'loss', true), verdict('b', 'conduct'), verdict('b', 'sync'), verdict('b', 'loss')];
    const summary = summaryOf(recordOf(['a', 'b', 'c'], ['a']), judged, [], shape);
    expect(summary).toMatchObject({ participants: 3, aggregated: 1, caught: { sync: 1 }, rejected: 0, bytes: 300 });
    // c passed and was not chosen: its work counts, that of b does not.
    expect(summary.tokens).toBe(2 * 2 * 4 * 128);
  });

  it('does not call a peer caught that was aggregated all the same', () => {
    const summary = summaryOf(recordOf(['a'], ['a']), [verdict('a', 'proof-of-computation')], [], shape);
    expect(summary.caught).toEqual({});
  });

  it('counts refused uploads, and their peers unless they delivered after all', () => {
    const refusals = [verdict('a', 'in-time'), verdict('b', 'format'), verdict('b', 'delivered')];
    const summary = summaryOf(recordOf(['a'], ['a']), [], refusals, shape);
    expect(summary).toMatchObject({ rejected: 3, caught: { delivered: 1 } });
    expect(summaryOf(recordOf(['a'], ['a']), [], null, shape)).toMatchObject({ rejected: null, caught: {} });
  });

  it('sums the harm of what was evaluated and kept out', () => {
    const evaluated = [
      { hotkey: 'a', before: 3, after: 2.9 },
      { hotkey: 'b', before: 3, after: 3.25 },
      { hotkey: 'c', before: 3, after: 3.5 },
      { hotkey: 'd', before: 3, after: 2.5 },
    ];
    const summary = summaryOf(recordOf(['a', 'b', 'c', 'd'], ['a', 'c'], evaluated), [], [], shape);
    expect(summary).toMatchObject({ evaluated: 4, keptOut: 0.25 });
  });

  it('never says more of contributions than there were', () => {
    const hotkey = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const verdicts = fc.array(
      fc.tuple(hotkey, fc.constantFrom(...CheckSchema.options), fc.boolean()).map((one) => verdict(...one)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(hotkey), verdicts, fc.nat(), (hotkeys, judged, share) => {
        const aggregated = hotkeys.slice(0, share % (hotkeys.length + 1));
        const summary = summaryOf(recordOf(hotkeys, aggregated), judged, [], shape);
        const caught = Object.values(summary.caught).reduce((sum, count) => sum + count, 0);
        expect(caught + summary.aggregated).toBeLessThanOrEqual(hotkeys.length);
        expect(summary.tokens).toBe((hotkeys.length - caught) * 2 * 4 * 128);
      }),
    );
  });
});

it('the check that stopped a contribution is the first in the order of checks, whatever order they are told in', () => {
  const failed = (['loss', 'sync', 'conduct'] as const).map((check) => ({ check, pass: false }));
  expect(stoppedBy(failed)).toBe('sync');
  expect(stoppedBy([...failed].reverse())).toBe('sync');
  expect(stoppedBy([{ check: 'loss', pass: true }])).toBeUndefined();
});
