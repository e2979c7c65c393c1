import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckSchema, type Check, type Refusal, type Verdict, type WindowRecord } from '../../../core/protocol/api.ts';
import type { WindowBook } from '../../../core/protocol/book.ts';
import { effectsOf, flowOf, keptOut } from './flow.ts';

const verdict = (check: Check, pass = false): Verdict => ({
  window: 2,
  check,
  pass,
  reason: `about ${check}`,
  value: null,
  threshold: null,
});

const recordOf = (hotkeys: readonly string[], aggregated: readonly string[]): WindowRecord =>
  ({ contributions: hotkeys.map((hotkey) => ({ hotkey })), aggregated, evaluated: [] }) as unknown as WindowRecord;

const bookOf = (verdicts: Readonly<Record<string, Verdict[]>>): WindowBook =>
  ({
    peers: Object.entries(verdicts).map(([hotkey, of]) => ({ hotkey, scored: {}, verdicts: of })),
  }) as unknown as WindowBook;

describe('the flow of a window', () => {
  it('leaves every peer where the first failed check stopped it, with its reason', () => {
    const book = bookOf({
      a: [verdict('sync', true), verdict('loss', true)],
      b: [verdict('loss'), verdict('sync')],
      c: [verdict('loss')],
      d: [verdict('delivered')],
      e: [verdict('proof-of-computation')],
      f: [],
    });
    const refusals: Refusal[] = [{ hotkey: 'g', verdict: verdict('in-time') }];
    const { peers, delivered } = flowOf(recordOf(['a', 'b', 'c', 'e', 'f'], ['a', 'e']), book, refusals);
    expect(delivered).toBe(5);
    expect(peers.map(({ hotkey, station, check }) => [hotkey, station, check])).toEqual([
      ['g', 'door', 'in-time'],
      ['d', 'door', 'delivered'],
      ['b', 'fast', 'sync'],
      ['c', 'score', 'loss'],
      ['a', 'model', undefined],
      // What it failed did not keep it out.
      ['e', 'model', undefined],
      ['f', 'model', undefined],
    ]);
    expect(peers.find(({ hotkey }) => hotkey === 'b')!.reason).toBe('about sync');
    expect(peers.filter(({ absent }) => absent).map(({ hotkey }) => hotkey)).toEqual(['d']);
  });

  it('forgives a refusal to who delivered after all, and knows nothing without a book', () => {
    const refusals: Refusal[] = [{ hotkey: 'a', verdict: verdict('format') }];
    expect(flowOf(recordOf(['a', 'b'], ['b']), null, refusals).peers).toEqual([
      { hotkey: 'a', station: 'model', check: undefined, aggregated: false, absent: false, reason: undefined },
      { hotkey: 'b', station: 'model', check: undefined, aggregated: true, absent: false, reason: undefined },
    ]);
  });

  it('shows each peer once, whatever is claimed of it', () => {
    const hotkeys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
    const verdicts = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.array(fc.constantFrom(...CheckSchema.options).map((check) => verdict(check))),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(hotkeys, hotkeys, verdicts, hotkeys, (delivered, aggregated, judged, refused) => {
        const refusals = refused.map((hotkey) => ({ hotkey, verdict: verdict('format') }));
        const { peers } = flowOf(recordOf(delivered, aggregated), bookOf(judged), refusals);
        const shown = peers.map(({ hotkey }) => hotkey).sort();
        expect(shown).toEqual([...new Set([...delivered, ...refused, ...Object.keys(judged)])].sort());
      }),
    );
  });
});

it('what was kept out is the harm of those that were measured and not folded in', () => {
  const evaluated = [
    { hotkey: 'a', random: { before: 3, after: 2.5 } },
    { hotkey: 'b', random: { before: 3, after: 3.25 } },
    { hotkey: 'c', random: { before: 3, after: 3.5 } },
  ];
  const effects = effectsOf({ evaluated, aggregated: ['a', 'c'] } as unknown as WindowRecord);
  expect(effects.map(({ hotkey, change }) => [hotkey, change])).toEqual([['c', 0.5], ['b', 0.25], ['a', -0.5]]); // prettier-ignore
  expect(keptOut(effects)).toBe(0.25);
});
