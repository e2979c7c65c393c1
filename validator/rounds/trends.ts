/** How peers did in the newest windows: read from the record once a window, kept for every answer until the next. */
import type { PeerHistoryPoint } from '../../core/protocol/api.ts';
import type { RunStore } from './store.ts';

/** Of LeaderboardEntry.trend. */
const TREND_WINDOWS = 16;
const DIGITS = 4;

export interface Trends {
  /** Rank after the window before the newest; null when it had none. */
  previousRank(hotkey: string): number | null;
  /** Oldest first. */
  scores(hotkey: string): number[];
}

type Standing = Pick<PeerHistoryPoint, 'rank' | 'peerScore'>;

/** @returns reads what is missing up to a published window, one query a window */
export function createTrends(store: Pick<RunStore, 'windowHistory'>): (newest: number) => Promise<Trends> {
  const windows = new Map<number, Promise<ReadonlyMap<string, Standing>>>();

  async function read(window: number): Promise<ReadonlyMap<string, Standing>> {
    // SQLite answers on this very thread, and awaiting it lets no request in between: ten thousand peers take 40 ms.
    await new Promise((resolve) => setTimeout(resolve));
    const rows = await store.windowHistory(window);
    return new Map(
      rows.map(({ hotkey, point: { rank, peerScore } }) => [
        hotkey,
        { rank, peerScore: Number(peerScore.toPrecision(DIGITS)) },
      ]),
    );
  }

  function standings(window: number): Promise<ReadonlyMap<string, Standing>> {
    const known = windows.get(window);
    if (known) return known;
    const reading = read(window);
    windows.set(window, reading);
    // What could not be read is asked for again.
    reading.catch(() => windows.delete(window));
    return reading;
  }

  return async (newest) => {
    const oldest = Math.max(1, newest - TREND_WINDOWS + 1);
    for (const window of windows.keys()) if (window < oldest) windows.delete(window);
    const read: ReadonlyMap<string, Standing>[] = [];
    // One after another, so that requests are answered between them.
    for (let window = oldest; window <= newest; window++) read.push(await standings(window));
    const before = newest > 1 ? read.at(-2) : undefined;
    return {
      previousRank: (hotkey) => before?.get(hotkey)?.rank ?? null,
      scores: (hotkey) => read.flatMap((standing) => standing.get(hotkey)?.peerScore ?? []),
    };
  };
}
