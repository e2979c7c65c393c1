import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SignedReceipt } from '../../core/protocol/api.ts';
import type { StartOptions, StartResult, TrainerEvent } from '../../workers/trainer-api.ts';
import { ChannelWorker } from '../client/channel-worker.ts';
import { createController, type Controller } from './controller.ts';

let workers: ChannelWorker[] = [];
let stopped = vi.fn(() => Promise.resolve());
let started: StartOptions[] = [];
let told: unknown[] = [];
let timers: { work: () => void; ms: number; cancelled: boolean }[] = [];
let controller: Controller | undefined;

function create(result: StartResult = { started: true }): Controller {
  workers = [];
  started = [];
  told = [];
  stopped = vi.fn(() => Promise.resolve());
  timers = [];
  controller = createController({
    start: { validatorUrl: 'http://localhost', throttlePercent: 60 },
    recycleWindows: 2,
    spawn: () => {
      const number = workers.length;
      const worker = new ChannelWorker({
        start: (options: StartOptions) => {
          started.push(options);
          return Promise.resolve(result);
        },
        setPaused: (paused: boolean) => told.push({ number, paused }),
        setFinishing: (finishing: boolean) => told.push({ number, finishing }),
        setThrottle: (percent: number) => told.push({ number, percent }),
        stop: stopped,
      });
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

const RECEIPT: TrainerEvent = {
  type: 'receipt',
  receipt: { receipt: { window: 3 } } as SignedReceipt,
  pagesTrained: 1,
  trainLoss: 1,
};

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
    const it = create({ started: false, code: 'StorageError', reason: 'Another tab trains.', remedy: 'Go there.' });
    it.start();
    await vi.waitFor(() =>
      expect(it.store.getState().status).toEqual({
        kind: 'failed',
        reason: 'Another tab trains.',
        remedy: 'Go there.',
        code: 'StorageError',
      }),
    );
    expect(workers[0]!.terminated).toBe(true);
  });

  it('replaces an old worker once it has delivered, and nobody is told that it stops', async () => {
    const it = create();
    const kinds: string[] = [];
    it.start();
    await vi.waitFor(() => expect(started).toHaveLength(1));
    it.store.subscribe((state) => kinds.push(state.status.kind));
    workers[0]!.emit({ type: 'status', status: { kind: 'waiting', window: 3, waitingFor: 'judgement' } });
    let hasStopped = (): void => undefined;
    stopped.mockImplementation(() => {
      workers[0]!.emit({ type: 'status', status: { kind: 'stopped' } });
      return new Promise<void>((resolve) => (hasStopped = resolve));
    });
    workers[0]!.emit(RECEIPT);
    await vi.waitFor(() => expect(it.store.getState().receipts).toHaveLength(1));
    expect(stopped).not.toHaveBeenCalled();
    workers[0]!.emit(RECEIPT);
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledTimes(1));
    // It saves its optimiser state: nothing else may load that before.
    expect(workers).toHaveLength(1);
    expect(workers[0]!.terminated).toBe(false);
    hasStopped();
    await vi.waitFor(() => expect(started).toHaveLength(2));
    expect(workers[0]!.terminated).toBe(true);
    expect([...new Set(kinds)]).toEqual(['waiting']);
    stopped.mockImplementation(() => Promise.resolve());
    workers[1]!.emit(RECEIPT);
    workers[1]!.emit(RECEIPT);
    await vi.waitFor(() => expect(started).toHaveLength(3));
  });

  it('replaces nothing when stopped while the old worker ends', async () => {
    const it = create();
    it.start();
    await vi.waitFor(() => expect(started).toHaveLength(1));
    let hasStopped = (): void => undefined;
    const ended = new Promise<void>((resolve) => (hasStopped = resolve));
    stopped.mockImplementation(() => ended);
    workers[0]!.emit(RECEIPT);
    workers[0]!.emit(RECEIPT);
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledTimes(1));
    const stopping = it.stop();
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledTimes(2));
    hasStopped();
    await stopping;
    expect(workers).toHaveLength(1);
    expect(kind(it)).toBe('stopped');
  });

  it('passes pause and throttle on, also to the next worker', async () => {
    const it = create();
    it.start();
    it.setPaused(true);
    it.setThrottle(30);
    await vi.waitFor(() =>
      expect(told).toEqual([
        { number: 0, paused: true },
        { number: 0, percent: 30 },
      ]),
    );
    expect(it.store.getState()).toMatchObject({ paused: true, throttlePercent: 30 });
    workers[0]!.die('out of memory');
    timers[0]!.work();
    await vi.waitFor(() => expect(started).toHaveLength(2));
    expect(started.map(({ throttlePercent, paused }) => ({ throttlePercent, paused }))).toEqual([
      { throttlePercent: 60, paused: false },
      { throttlePercent: 30, paused: true },
    ]);
    await it.stop();
    it.start();
    await vi.waitFor(() => expect(started).toHaveLength(3));
    expect(started[2]).toMatchObject({ throttlePercent: 30, paused: false });
  });

  it('stops cleanly and starts as the other when the account is switched', async () => {
    const it = create();
    const wallet = { run: 'a'.repeat(64), hotkey: 'alice' };
    await it.setWallet(wallet);
    expect(workers).toHaveLength(0);
    it.start();
    await vi.waitFor(() => expect(started).toHaveLength(1));
    await it.setWallet({ ...wallet });
    expect(stopped).not.toHaveBeenCalled();
    await it.setWallet(undefined);
    expect(stopped).toHaveBeenCalledTimes(1);
    expect(workers[0]!.terminated).toBe(true);
    await vi.waitFor(() => expect(started).toHaveLength(2));
    expect(started.map((options) => options.wallet)).toEqual([wallet, undefined]);
  });

  it('is held by a rule apart from a person’s pause, and is free again when neither is', async () => {
    const it = create();
    it.start();
    it.setHold({ kind: 'battery' });
    it.setHold({ kind: 'battery' });
    it.setPaused(true);
    it.setHold(undefined);
    it.setPaused(false);
    await vi.waitFor(() =>
      expect(told.map((each) => (each as { paused: boolean }).paused)).toEqual([true, true, true, false]),
    );
  });

  it('told to finish it lets the worker go when that has stopped, and the next start begins anew', async () => {
    const it = create();
    it.start();
    it.setFinishing(true);
    await vi.waitFor(() => expect(told).toEqual([{ number: 0, finishing: true }]));
    workers[0]!.emit({ type: 'status', status: { kind: 'stopped' } });
    await vi.waitFor(() => expect(workers[0]!.terminated).toBe(true));
    expect(kind(it)).toBe('stopped');
    it.start();
    await vi.waitFor(() => expect(started).toHaveLength(2));
    expect(started[1]).toMatchObject({ finishing: false });
  });

  it('gives the memory limit to the next start, and waits longer for a tab that lets go', async () => {
    const it = create();
    it.setMemoryLimit(512);
    it.takeOver();
    await vi.waitFor(() => expect(started).toHaveLength(1));
    expect(started[0]).toMatchObject({ memoryMib: 512, patienceMs: 40_000 });
  });
});
