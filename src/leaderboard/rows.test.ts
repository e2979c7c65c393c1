import { describe, expect, it } from 'vitest';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { visibleRows } from './rows.ts';

const peers = ['a', 'b', 'c', 'd'].map((hotkey) => ({ hotkey }) as LeaderboardEntry);

describe('leaderboard rows', () => {
  it('are the best, and one’s own wherever it stands', () => {
    expect(visibleRows(peers, 'd', 2)).toEqual({ rows: [peers[0], peers[1], peers[3]], hidden: 1 });
    expect(visibleRows(peers, 'a', 2)).toEqual({ rows: [peers[0], peers[1]], hidden: 2 });
    expect(visibleRows(peers, undefined)).toEqual({ rows: peers, hidden: 0 });
  });
});
