import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StartResult } from '../../workers/trainer-api.ts';
import { ChannelWorker } from '../client/channel-worker.ts';
import { createController, type Controller } from './controller.ts';

let workers: ChannelWorker[] = [];
let stopped = vi.fn(() => Promise.resolve());
let timers: { work: () => void; ms: number; cancelled: boolean }[] = [];
let controller: Controller | undefined;

function create(result: StartResult = { started: true }): Controller {
  workers = [];
  stopped = vi.fn(() => Promise.resolve());
  timers = [];
  controller = createController({
    start: { validatorUrl: 'http://localhost' },
    spawn: () => {
      const worker = new ChannelWorker({ start: () => Promise.resolve(result), stop: stopped });
      workers.push(worker);
      return worker;
    },
    now: () => 0,
    setTimer: (work, ms) => {
      const timer = { work, ms, cancelled: false };
      timers.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  });
  return controller;
}

const kind = (of: Controller): string => of.store.getState().status.kind;

afterEach(async () => {
  await controller?.stop();
});

describe('controller', () => {
  it('has no worker until started and none after it was stopped', async () => {
    const it = create();
    expect(workers).toHaveLength(0);
    it.start();
    it.start();
    expect(workers).toHaveLength(1);
    await vi.waitFor(() => expect(workers[0]!.connected).toBe(true));
    workers[0]!.emit({ type: 'status', status: { kind: 'compiling' } });
    await vi.waitFor(() => expect(kind(it)).toBe('compiling'));
    await it.stop();
    expect(stopped).toHaveBeenCalledTimes(1);
    expect(workers[0]!.terminated).toBe(true);
    expect(kind(it)).toBe('stopped');
  });

  it('starts a dead worker anew, with growing pauses, and gives up in the end', () => {
    const it = create();
    it.start();
    for (const ms of [2_000, 4_000, 8_000, 16_000]) {
      workers.at(-1)!.die('out of memory');
      expect(kind(it)).toBe('retrying');
      expect(timers.at(-1)!.ms).toBe(ms);
      timers.at(-1)!.work();
    }
    workers.at(-1)!.die('out of memory');
    expect(it.store.getState().status).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('out of memory') as string,
    });
    expect(workers.every(({ terminated }) => terminated)).toBe(true);
  });

  it('does not start anew once stopped', async () => {
    const it = create();
    it.start();
    workers[0]!.die('out of memory');
    await it.stop();
    expect(timers[0]!.cancelled).toBe(true);
    expect(kind(it)).toBe('stopped');
  });

  it('shows why it may not start, and lets the worker go', async () => {
    const it = create({ started: false, reason: 'Another tab trains.', remedy: 'Go there.' });
    it.start();
    await vi.waitFor(() =>
      expect(it.store.getState().status).toEqual({
        kind: 'failed',
        reason: 'Another tab trains.',
        remedy: 'Go there.',
      }),
    );
    expect(workers[0]!.terminated).toBe(true);
  });
});
