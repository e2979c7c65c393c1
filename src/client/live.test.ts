import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import type { ClockState, WindowSummary } from '../../core/protocol/api.ts';
import { windowSummary } from '../../core/protocol/testing/window-summary.ts';
import type { EventSourceLike } from './event-stream.ts';
import { createLive, MAX_WINDOWS, QUERY_KEYS, upsertWindow } from './live.ts';

const row = (window: number, lossAfter: number | null = null): WindowSummary => windowSummary(window, { lossAfter });

const clock = (serverTime: string): ClockState => ({
  run: '0'.repeat(32),
  window: 2,
  phase: 'train',
  opensAt: serverTime,
  putOpensAt: serverTime,
  putClosesAt: serverTime,
  serverTime,
  assignmentSeed: '0'.repeat(64),
  blocks: null,
  stateRoot: '0'.repeat(64),
});

function follow() {
  const listeners = new Map<string, (event: MessageEvent<string>) => void>();
  const source: EventSourceLike = {
    onopen: null,
    onerror: null,
    addEventListener: (type, listener) => listeners.set(type, listener),
    close: () => undefined,
  };
  const client = new QueryClient();
  const timers: { work: () => void; ms: number }[] = [];
  const live = createLive(
    'http://localhost/',
    () => source,
    (work, ms) => {
      const timer = { work, ms };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  );
  const stop = live.follow(client);
  const send = (event: { type: string }): void =>
    listeners.get(event.type)!(new MessageEvent(event.type, { data: JSON.stringify(event) }));
  return { client, live, source, send, timers, stop };
}

describe('live', () => {
  it('replaces a window’s row, keeps the order and a bounded number', () => {
    expect(upsertWindow([row(1), row(3)], row(2)).map(({ window }) => window)).toEqual([1, 2, 3]);
    expect(upsertWindow([row(1), row(2)], row(2, 3.5))[1]!.lossAfter).toBe(3.5);
    const many = Array.from({ length: MAX_WINDOWS }, (_, i) => row(i + 1));
    expect(upsertWindow(many, row(MAX_WINDOWS + 1))).toHaveLength(MAX_WINDOWS);
  });

  it('writes events into the cache, the server’s time included', () => {
    const { client, live, send } = follow();
    client.setQueryData(QUERY_KEYS.windows, [row(1)]);
    send({ type: 'window', window: row(2) } as never);
    expect(client.getQueryData<WindowSummary[]>(QUERY_KEYS.windows)).toHaveLength(2);
    send({ type: 'clock', clock: clock(new Date(Date.now() + 60_000).toISOString()) } as never);
    expect(client.getQueryData<ClockState>(QUERY_KEYS.clock)?.window).toBe(2);
    expect(live.store.getState().offsetMs / 1_000).toBeCloseTo(60, 0);
  });

  it('does not make a list out of one event', () => {
    const { client, send } = follow();
    send({ type: 'window', window: row(9) } as never);
    expect(client.getQueryData(QUERY_KEYS.windows)).toBeUndefined();
  });

  it('reads the leaderboard anew within the time that the validator says, once for all events until then', () => {
    const { client, send, timers } = follow();
    client.setQueryData(QUERY_KEYS.leaderboard, { window: 1, peers: [] });
    const isStale = (): boolean => client.getQueryState(QUERY_KEYS.leaderboard)!.isInvalidated;
    send({ type: 'leaderboard', window: 2, spreadMs: 20_000 } as never);
    send({ type: 'leaderboard', window: 3, spreadMs: 20_000 } as never);
    expect(timers).toHaveLength(1);
    expect(timers[0]!.ms).toBeGreaterThanOrEqual(0);
    expect(timers[0]!.ms).toBeLessThan(20_000);
    expect(isStale()).toBe(false);
    timers[0]!.work();
    expect(isStale()).toBe(true);
    // An older validator says nothing: at once.
    send({ type: 'leaderboard', window: 4 } as never);
    expect(timers[1]!.ms).toBe(0);
  });

  it('reads nothing any more once it has stopped', () => {
    const { send, timers, stop } = follow();
    send({ type: 'window', window: row(2), spreadMs: 5_000 } as never);
    send({ type: 'leaderboard', window: 2, spreadMs: 5_000 } as never);
    expect(timers).toHaveLength(2);
    stop();
    expect(timers).toHaveLength(0);
  });

  it('calls the validator unreachable after two failures, until it answers', () => {
    const { live } = follow();
    live.noteFailure(new Error('one'));
    expect(live.store.getState().failure).toBeUndefined();
    live.noteFailure(new Error('two'));
    expect(live.store.getState().failure?.message).toBe('two');
    live.noteServerTime(clock(new Date().toISOString()), Date.now());
    expect(live.store.getState().failure).toBeUndefined();
  });
});
