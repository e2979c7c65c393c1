import { describe, expect, it, vi } from 'vitest';
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import { followEvents, type EventSourceLike, type StreamState } from './event-stream.ts';

class FakeSource implements EventSourceLike {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(type, listener);
  }

  send(type: string, data: string): void {
    this.#listeners.get(type)?.(new MessageEvent(type, { data }));
  }

  close(): void {
    this.closed = true;
  }
}

function follow() {
  const sources: FakeSource[] = [];
  const timers: { work: () => void; ms: number; cancelled: boolean }[] = [];
  const events: ValidatorEvent[] = [];
  const states: StreamState[] = [];
  const close = followEvents({
    url: '/v1/events',
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    createSource: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    setTimer: (work, ms) => {
      const timer = { work, ms, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    random: () => 1,
  });
  return { sources, timers, events, states, close };
}

describe('event stream', () => {
  it('parses events and skips what it does not understand', () => {
    const { sources, events } = follow();
    sources[0]!.send('leaderboard', JSON.stringify({ type: 'leaderboard', window: 3 }));
    sources[0]!.send('leaderboard', 'not json');
    sources[0]!.send('clock', JSON.stringify({ type: 'clock', clock: { window: 'three' } }));
    expect(events).toEqual([{ type: 'leaderboard', window: 3 }]);
  });

  it('reopens with growing pauses that an open stream resets', () => {
    const { sources, timers, states } = follow();
    const fail = (): void => {
      sources.at(-1)!.onerror!(new Event('error'));
      expect(sources.at(-1)!.closed).toBe(true);
    };
    fail();
    timers.at(-1)!.work();
    fail();
    timers.at(-1)!.work();
    sources.at(-1)!.onopen!(new Event('open'));
    fail();
    expect(timers.map(({ ms }) => ms)).toEqual([1_000, 2_000, 1_000]);
    expect(states).toEqual(['connecting', 'lost', 'lost', 'lost', 'lost', 'live', 'lost']);
  });

  it('leaves nothing open when closed', () => {
    const { sources, timers, close } = follow();
    sources[0]!.onerror!(new Event('error'));
    const work = vi.spyOn(timers[0]!, 'work');
    close();
    expect(timers[0]!.cancelled).toBe(true);
    expect(work).not.toHaveBeenCalled();
  });
});
