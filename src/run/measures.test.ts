import { expect, it } from 'vitest';
import { windowSummary } from '../../core/protocol/testing/window-summary.ts';
import { runTotals } from './measures.ts';

it('totals leave out what is not known, and say so when nothing is', () => {
  const outerStep = { sha256: '0'.repeat(64), bytes: 30 };
  expect(runTotals([windowSummary(1, { outerStep }), windowSummary(2)])).toEqual({
    tokens: null,
    uploads: null,
    steps: 30,
  });
  const known = [
    windowSummary(1),
    windowSummary(2, { tokens: 5, bytes: 0 }),
    windowSummary(3, { tokens: 7, bytes: 9 }),
  ];
  expect(runTotals(known)).toEqual({ tokens: 12, uploads: 9, steps: 0 });
});
