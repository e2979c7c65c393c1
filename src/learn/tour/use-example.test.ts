import { describe, expect, it } from 'vitest';
import type { Evaluation, WindowSummary } from '../../../core/protocol/api.ts';
import { windowSummary } from '../../../core/protocol/testing/window-summary.ts';
import { candidates, exampleOf } from './use-example.ts';

const rating = { mu: 25, sigma: 8, ordinal: 0 };

const evaluation = (hotkey: string, gain: number): Evaluation => ({
  hotkey,
  assigned: { before: 4, after: 3.9, pages: [1] },
  random: { before: 4, after: 4 - gain, pages: [2] },
  rating: { before: rating, after: rating },
});

const row = (window: number, participants: number | null, stateRoot: string | null): WindowSummary =>
  windowSummary(window, { participants, stateRoot });

describe('the tour’s example', () => {
  const record = {
    window: 7,
    evaluated: [evaluation('a', 0.01), evaluation('b', 0.03), evaluation('c', -0.2)],
    contributions: [{ hotkey: 'b', bytes: 900, sha256: '', arrivedAt: '', pagesTrained: 4 }],
  };

  it('is one’s own, else the one that helped most', () => {
    expect(exampleOf(record, 'c')).toMatchObject({ window: 7, own: true, evaluation: { hotkey: 'c' } });
    expect(exampleOf(record, 'stranger')).toMatchObject({ own: false, evaluation: { hotkey: 'b' }, bytes: 900 });
    expect(exampleOf({ ...record, evaluated: [] }, 'a')).toBeUndefined();
  });

  it('is looked for in the newest published windows that anybody contributed to', () => {
    const windows = [row(1, 2, 'x'), row(2, 0, 'x'), row(3, 4, 'x'), row(4, null, null)];
    expect(candidates(windows)).toEqual([3, 1]);
  });
});
