/** Keeps the query cache up to date from the validator's events, and the server's time along with it. */
import type { QueryClient } from '@tanstack/react-query';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { readingDelayMs } from '../../client/live-pace.ts';
import type { ClockState, ValidatorEvent, WindowSummary } from '../../core/protocol/api.ts';
import { browserTimer, followEvents, type EventSourceLike, type StreamState } from './event-stream.ts';

export interface LiveState {
  readonly stream: StreamState;
  /** Milliseconds to add to this machine's clock to get the validator's. */
  readonly offsetMs: number;
  /** Why the validator cannot be reached, from the second failure in a row on; undefined while it answers. */
  readonly failure: Error | undefined;
}

export interface Live {
  readonly store: StoreApi<LiveState>;
  /** Follows the events until the returned function is called. */
  follow(client: QueryClient): () => void;
  noteServerTime(clock: ClockState, localMs: number): void;
  /** A failed reading of the clock, which serves as the heartbeat. */
  noteFailure(error: Error): void;
}

/** The most windows that the page asks for and keeps. */
export const MAX_WINDOWS = 500;

export const QUERY_KEYS = {
  run: ['run'],
  clock: ['clock'],
  leaderboard: ['leaderboard'],
  windows: ['windows'],
  record: (window: number) => ['window', window, 'record'],
  book: (window: number) => ['window', window, 'book'],
  refusals: (window: number) => ['window', window, 'refusals'],
  samples: ['samples'],
  peers: ['peer'],
  peer: (hotkey: string) => ['peer', hotkey],
} as const;

/** One lost answer is no news. */
const FAILURES_TO_SHOW = 2;

/** Puts a window's row into a list that is ordered by window. */
export function upsertWindow(windows: readonly WindowSummary[], row: WindowSummary): WindowSummary[] {
  const others = windows.filter(({ window }) => window !== row.window);
  return [...others, row].sort((a, b) => a.window - b.window).slice(-MAX_WINDOWS);
}

export function createLive(
  baseUrl: string,
  createSource?: (url: string) => EventSourceLike,
  setTimer: (work: () => void, ms: number) => () => void = browserTimer,
): Live {
  const store = createStore<LiveState>(() => ({ stream: 'connecting', offsetMs: 0, failure: undefined }));

  let failures = 0;

  function noteServerTime(clock: ClockState, localMs: number): void {
    failures = 0;
    store.setState({ offsetMs: Date.parse(clock.serverTime) - localMs, failure: undefined });
  }

  function noteFailure(error: Error): void {
    failures++;
    if (failures >= FAILURES_TO_SHOW) store.setState({ failure: error });
  }

  /** Readings that are put off, by the type of the event that they are due to. */
  const due = new Map<ValidatorEvent['type'], () => void>();

  /** Reads anew what is shown, at a moment of this page's own. One that is due already reads this, too. */
  function readAnew(
    client: QueryClient,
    event: Exclude<ValidatorEvent, { type: 'clock' }>,
    queryKeys: readonly (readonly string[])[],
  ): void {
    if (due.has(event.type)) return;
    const cancel = setTimer(() => {
      due.delete(event.type);
      for (const queryKey of queryKeys) void client.invalidateQueries({ queryKey });
    }, readingDelayMs(event));
    due.set(event.type, cancel);
  }

  function apply(client: QueryClient, event: ValidatorEvent): void {
    switch (event.type) {
      case 'clock': {
        const known = client.getQueryData<ClockState>(QUERY_KEYS.clock);
        // Another run under the same address: nothing that is shown is true any more.
        if (known && known.run !== event.clock.run) void client.invalidateQueries();
        noteServerTime(event.clock, Date.now());
        client.setQueryData(QUERY_KEYS.clock, event.clock);
        return;
      }
      case 'window':
        client.setQueryData<WindowSummary[]>(QUERY_KEYS.windows, (known) => known && upsertWindow(known, event.window));
        readAnew(client, event, [QUERY_KEYS.peers, QUERY_KEYS.samples]);
        return;
      case 'leaderboard':
        readAnew(client, event, [QUERY_KEYS.leaderboard]);
        return;
      default:
        event satisfies never;
    }
  }

  return {
    store,
    noteServerTime,
    noteFailure,
    follow(client) {
      const stop = followEvents({
        url: new URL('/v1/events', baseUrl).href,
        onEvent: (event) => apply(client, event),
        onState: (stream) => {
          store.setState({ stream });
          // What happened while nobody listened.
          if (stream === 'live') void client.invalidateQueries();
        },
        ...(createSource ? { createSource } : {}),
      });
      return () => {
        stop();
        for (const cancel of due.values()) cancel();
        due.clear();
      };
    },
  };
}
