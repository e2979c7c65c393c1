import { describe, expect, it } from 'vitest';
import { createStore } from 'zustand/vanilla';
import type { ReplayCommand, ReplayNews } from '../../workers/replay/replay-api.ts';
import type { PeerLabels } from '../client/source.ts';
import { createReplay, type Replay, type ReplayWorker } from './replay-source.ts';

/** A worker whose recording has the windows 3 to 40, and a timer that ticks by hand. */
function scripted(): {
  replay: Replay;
  sought: number[];
  tick: () => void;
  say: (news: ReplayNews) => void;
  everyMs: () => number;
} {
  const sought: number[] = [];
  let timer: { work: () => void; ms: number } | undefined;
  const worker: ReplayWorker = {
    postMessage(command: ReplayCommand) {
      if (command.type === 'seek') sought.push(command.window);
    },
    onmessage: null,
    onerror: null,
  };
  const labels = createStore<PeerLabels>(() => new Map());
  const replay = createReplay(worker, labels, (work, ms) => {
    timer = { work, ms };
    return () => (timer = undefined);
  });
  const say = (news: ReplayNews): void => worker.onmessage?.({ data: news } as MessageEvent<ReplayNews>);
  const publishedAt = Array.from({ length: 38 }, () => '2026-01-01T00:00:00.000Z');
  say({ type: 'opened', first: 3, last: 40, publishedAt, labels: [] });
  return { replay, sought, say, tick: () => timer?.work(), everyMs: () => timer?.ms ?? 0 };
}

describe('a replay', () => {
  it('begins at its end, and goes where it is sent but not outside', () => {
    const { replay, sought } = scripted();
    expect(replay.store.getState().window).toBe(40);
    for (const window of [7, 7, 1, 99]) replay.seek(window);
    expect(sought).toEqual([7, 3, 40]);
  });

  it('plays from its beginning once it is over, a window a second, and ends by itself', () => {
    const { replay, sought, tick, everyMs } = scripted();
    replay.setPlaying(true);
    expect(everyMs()).toBe(1_000);
    tick();
    tick();
    expect(sought).toEqual([3, 4, 5]);
    for (let i = 0; i < 50; i++) tick();
    expect(sought.at(-1)).toBe(40);
    expect(replay.store.getState().playing).toBe(false);
    expect(sought).toHaveLength(38);
  });

  it('at a higher speed passes more windows, and can be stopped', () => {
    const { replay, sought, tick, everyMs } = scripted();
    replay.seek(3);
    replay.setSpeed(16);
    replay.setPlaying(true);
    tick();
    tick();
    expect(everyMs()).toBe(250);
    expect(sought).toEqual([3, 7, 11]);
    replay.setSpeed(4);
    tick();
    replay.setPlaying(false);
    tick();
    expect(sought.at(-1)).toBe(12);
  });

  it('says why there is nothing to show', () => {
    const { replay, say } = scripted();
    say({ type: 'failed', reason: 'This file is no recording.' });
    expect(replay.store.getState()).toMatchObject({ failure: 'This file is no recording.', playing: false });
  });
});
