import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';

let listeners: Set<(event: ValidatorEvent) => void>;
let streams: EventStreams;

const leaderboard = (window: number): ValidatorEvent => ({ type: 'leaderboard', window });
const emit = (window: number): void => {
  for (const listener of listeners) listener(leaderboard(window));
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  listeners = new Set();
  streams = createEventStreams({
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    greeting: () => leaderboard(0),
    maxClients: 2_000,
    maxOfAddress: 3,
    heartbeatMs: 1_000,
  });
});

afterEach(() => {
  streams.close();
  vi.useRealTimers();
});

const open = (): ReadableStreamDefaultReader<Uint8Array> => streams.open().body!.getReader();
const decoder = new TextDecoder();

/** A client that reads whatever comes. */
interface Client {
  /** What it has heard since it was last asked: windows of events. */
  readonly heard: () => Promise<number[]>;
  readonly leave: () => Promise<void>;
}

function client(): Client {
  const reader = open();
  let text = '';
  void (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += decoder.decode(next.value);
  })();
  return {
    async heard() {
      // Whatever is on its way has arrived.
      await new Promise((resolve) => setImmediate(resolve));
      const windows = [...text.matchAll(/"window":(\d+)/g)].map(([, window]) => Number(window));
      text = '';
      return windows;
    },
    leave: () => reader.cancel(),
  };
}

const slices = (count: number): void => {
  for (let i = 0; i < count; i++) vi.advanceTimersByTime(1);
};

describe('event streams', () => {
  it('bring every event to every client once and in order, slice by slice', async () => {
    const clients = Array.from({ length: 1_200 }, client);
    emit(1);
    // Two of the slices are still to come.
    expect(await clients[0]!.heard()).toEqual([0, 1]);
    expect(await clients[1_199]!.heard()).toEqual([0]);
    emit(2);
    slices(1);
    emit(3);
    slices(10);
    for (const [i, { heard }] of clients.entries()) {
      expect(await heard()).toEqual(i === 0 ? [2, 3] : i === 1_199 ? [1, 2, 3] : [0, 1, 2, 3]);
    }
  });

  it('say over how long so many should spread what they read', async () => {
    const spreadOf = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<unknown> => {
      const [, data] = /data: (.*)/.exec(decoder.decode((await reader.read()).value))!;
      return (JSON.parse(data!) as { spreadMs?: number }).spreadMs;
    };
    const first = open();
    expect(await spreadOf(first)).toBeUndefined();
    emit(1);
    expect(await spreadOf(first)).toBe(2);
    for (let i = 0; i < 999; i++) open();
    emit(2);
    expect(await spreadOf(first)).toBe(2_000);
  });

  it('give all clients the same bytes', async () => {
    const readers = [open(), open()];
    for (const reader of readers) await reader.read();
    emit(1);
    const [one, other] = await Promise.all(readers.map((reader) => reader.read()));
    expect(one!.value).toBe(other!.value);
  });

  it('have one subscription and one heartbeat, and none while nobody listens', async () => {
    expect(listeners.size).toBe(0);
    const readers = [open(), open()];
    expect(listeners.size).toBe(1);
    expect(vi.getTimerCount()).toBe(1);
    for (const reader of readers) await reader.read();
    vi.advanceTimersByTime(1_000);
    for (const reader of readers) expect(decoder.decode((await reader.read()).value)).toBe(': still here\n\n');
    for (const reader of readers) await reader.cancel();
    expect(streams.clients).toBe(0);
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('let go who does not read, and nobody else', async () => {
    const slow = open();
    const reading = client();
    for (let window = 1; window <= 70; window++) {
      emit(window);
      await reading.heard();
    }
    expect(streams.clients).toBe(1);
    let queued = 0;
    while (!(await slow.read()).done) queued++;
    expect(queued).toBe(64);
    emit(71);
    expect(await reading.heard()).toEqual([71]);
  });

  it('tell a client that comes in the middle of a round nothing old', async () => {
    const clients = Array.from({ length: 1_200 }, client);
    emit(1);
    const late = client();
    slices(5);
    emit(2);
    slices(5);
    expect(await late.heard()).toEqual([0, 2]);
    expect(await clients[1_100]!.heard()).toEqual([0, 1, 2]);
  });

  it('go on for the others when somebody leaves in the middle of a round', async () => {
    const clients = Array.from({ length: 1_200 }, client);
    emit(1);
    await Promise.all([clients[0]!.leave(), clients[600]!.leave()]);
    slices(5);
    expect(streams.clients).toBe(1_198);
    for (const i of [1, 599, 601, 1_199]) expect(await clients[i]!.heard()).toEqual([0, 1]);
  });

  it('are bounded in number', () => {
    for (let i = 0; i < 2_000; i++) open();
    expect(open).toThrow(/Too many listeners/);
  });
});
