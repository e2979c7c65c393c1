import { describe, expect, it } from 'vitest';
import type { ChainRecord } from '../../core/protocol/chain.ts';
import { historyOf } from './history.ts';
import type { Sample } from './subnet-watch.ts';

const sample = (block: number, incentive: number): Sample => ({
  block,
  at: '',
  alphaPrice: null,
  neurons: new Map([['mine', { uid: 1, incentive, emission: 2, rank: 3 }]]),
});
const record = (block: number, incentive: number): ChainRecord => ({
  block,
  at: '2026-01-01T00:00:00.000Z',
  uid: 1,
  incentive,
  emission: 1,
  stake: null,
  rank: 4,
  alphaPrice: null,
  gauntletWeight: 0.5,
});

describe('history', () => {
  it('joins what was recorded with what was seen, each block once', () => {
    const points = historyOf('mine', [sample(720, 0.3), sample(722, 0.4)], [record(360, 0.1), record(720, 0.2)]);
    expect(points).toEqual([
      { block: 360, incentive: 0.1, emission: 1, rank: 4, gauntletWeight: 0.5 },
      { block: 720, incentive: 0.3, emission: 2, rank: 3, gauntletWeight: 0.5 },
      { block: 722, incentive: 0.4, emission: 2, rank: 3, gauntletWeight: null },
    ]);
  });

  it('leaves out blocks at which a hotkey was not registered', () => {
    expect(historyOf('another', [sample(720, 0.3)], [])).toEqual([]);
  });
});
