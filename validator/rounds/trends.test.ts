import { expect, it, vi } from 'vitest';
import type { RunStore } from './store.ts';
import { createTrends } from './trends.ts';

/** Peer a is scored in every window, b in even ones only; ranks are the windows' numbers. */
function windowHistory(window: number): ReturnType<RunStore['windowHistory']> {
  const rating = { mu: 25, sigma: 8, ordinal: 0 };
  const point = { window, rating, poc: 0, sync: 1, peerScore: window + 0.123456, weight: 0, rank: window, aggregated: true, lossScore: null }; // prettier-ignore
  return Promise.resolve(['a', ...(window % 2 === 0 ? ['b'] : [])].map((hotkey) => ({ hotkey, point })));
}

it('trends hold the newest 16 windows, oldest first, and read each of them once', async () => {
  const read = vi.fn(windowHistory);
  const trendsUntil = createTrends({ windowHistory: read });
  const before = await trendsUntil(20);
  expect(before.scores('a')).toEqual(Array.from({ length: 16 }, (_, i) => Number((i + 5.123456).toPrecision(4))));
  expect([before.previousRank('a'), before.previousRank('b'), before.previousRank('c')]).toEqual([19, null, null]);
  const after = await trendsUntil(21);
  expect(after.scores('b')).toEqual([6, 8, 10, 12, 14, 16, 18, 20].map((w) => Number((w + 0.123456).toPrecision(4))));
  expect(after.previousRank('b')).toBe(20);
  expect(read.mock.calls.map(([window]) => window)).toEqual(Array.from({ length: 17 }, (_, i) => i + 5));
});

it('trends are empty before the first window is published, and ask again for what could not be read', async () => {
  const read = vi.fn(windowHistory).mockRejectedValueOnce(new Error('the disk is busy'));
  const trendsUntil = createTrends({ windowHistory: read });
  expect((await trendsUntil(0)).scores('a')).toEqual([]);
  await expect(trendsUntil(1)).rejects.toThrow('busy');
  const first = await trendsUntil(1);
  expect([first.scores('a'), first.previousRank('a')]).toEqual([[1.123], null]);
});

it('trends leave turns to other work while they are read', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const reads: number[] = [];
  const trendsUntil = createTrends({
    windowHistory: (window) => {
      reads.push(turns);
      // As long as SQLite keeps the thread.
      const until = performance.now() + 3;
      while (performance.now() < until);
      return windowHistory(window);
    },
  });
  await trendsUntil(16);
  clearInterval(timer);
  expect(new Set(reads).size).toBe(16);
});
