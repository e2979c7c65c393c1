import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckSchema, type WindowSummary } from '../../../core/protocol/api.ts';
import { windowSummary } from '../../../core/protocol/testing/window-summary.ts';
import { columnsOf, totalsOf } from './tally.ts';

const row = (window: number): fc.Arbitrary<WindowSummary> =>
  fc
    .record({
      aggregated: fc.nat(20),
      passed: fc.nat(20),
      caught: fc.dictionary(fc.constantFrom(...CheckSchema.options), fc.integer({ min: 1, max: 9 })),
    })
    .map(({ aggregated, passed, caught }) => {
      const stopped = Object.values(caught).reduce((sum, count) => sum + count, 0);
      return windowSummary(window, { aggregated, caught, participants: aggregated + passed + stopped, keptOut: 0.5 });
    });

const history = fc
  .integer({ min: 1, max: 200 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => row(i + 1))));

describe('the picture’s columns', () => {
  it('are so few, cover every window once and lose no contribution', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 60 }), (windows, most) => {
        const columns = columnsOf(windows, most);
        expect(columns.length).toBeLessThanOrEqual(most);
        expect(columns.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i))).toEqual(
          windows.map(({ window }) => window),
        );
        const total = columns.reduce((sum, column) => sum + column.total, 0);
        expect(total).toBe(windows.reduce((sum, { participants }) => sum + participants!, 0));
        const caught = columns.flatMap((column) => Object.values(column.caught)).reduce((sum, n) => sum + n, 0);
        expect(caught).toBe(totalsOf(windows).caught);
      }),
      { numRuns: 50 },
    );
  });

  it('put each check into its family, and what passed and was not chosen beside it', () => {
    const windows = [
      windowSummary(4, { participants: 6, aggregated: 3, caught: { sync: 1, model: 1 } }),
      windowSummary(5, { participants: 2, aggregated: 2, caught: { format: 2, 'in-time': 1 } }),
    ];
    expect(columnsOf(windows, 9)).toMatchObject([
      { from: 4, to: 4, aggregated: 3, passed: 1, caught: { sync: 2, form: 0 }, total: 6 },
      // Refused uploads are of no participant.
      { from: 5, to: 5, aggregated: 2, passed: 0, caught: { form: 3 }, total: 5 },
    ]);
  });

  it('of no windows are none', () => {
    expect(columnsOf([], 10)).toEqual([]);
  });
});
