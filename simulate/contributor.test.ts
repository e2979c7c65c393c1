/** The contributor against the production validator on devices that are slow, fail, or are needed for something else. */
import { expect, test } from 'vitest';
import type { Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import type { ContributorPorts } from '../client/ports.ts';
import { PRESETS } from '../core/model/presets.ts';
import type { Trainer } from '../engine/engine.ts';
import { createNodeTrainer } from '../engine/node.ts';
import { runExperiment, type ExperimentOptions } from './experiment.ts';

const ONE: Omit<ExperimentOptions, 'windows'> = { preset: 'micro', honest: 1, attackers: 0, pages: 16, seed: 'faults' };
const TRAIN_MS = 1_000 * PRESETS.micro.window.trainSeconds;

/** The same ports with every trainer changed. */
function withTrainer(ports: ContributorPorts, change: (trainer: Trainer) => Trainer): ContributorPorts {
  return { ...ports, createTrainer: async (options) => change(await ports.createTrainer(options)) };
}

/** Micro-batches, two a page, that take a while of virtual time. */
function slow(stepMs: number): NonNullable<ExperimentOptions['portsOf']> {
  return (ports, { time }) =>
    withTrainer(ports, (trainer) => ({
      ...trainer,
      async accumulate(batch) {
        await time.sleep(stepMs);
        return trainer.accumulate(batch);
      },
    }));
}

const pagesOf = (events: readonly ContributorEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'receipt' ? [event.pagesTrained] : []));
const warnings = (events: readonly ContributorEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

test('a slow device delivers what it manages in every window', { timeout: 60_000 }, async () => {
  const events: ContributorEvent[] = [];
  const { windows } = await runExperiment({
    ...ONE,
    windows: 4,
    portsOf: slow(700),
    onEvent: (event) => events.push(event),
  });
  expect(windows.map(({ participants }) => participants)).toEqual([1, 1, 1, 1]);
  for (const pages of pagesOf(events)) {
    expect(pages).toBeLessThanOrEqual(TRAIN_MS / 1_400);
    expect(pages).toBeGreaterThanOrEqual(2);
  }
});

test('one too slow for a single page says so, and ends instead of losing every window', async () => {
  const events: ContributorEvent[] = [];
  const run = runExperiment({ ...ONE, windows: 8, portsOf: slow(7_000), onEvent: (event) => events.push(event) });
  await expect(run).rejects.toMatchObject({
    cause: {
      message: expect.stringMatching(
        /^A page and its delivery take about 1[4-9] s here and a window lasts 9 s/,
      ) as string,
    },
  });
  expect(events).toContainEqual({
    type: 'status',
    status: expect.objectContaining({
      kind: 'failed',
      remedy: expect.stringContaining('smaller model') as string,
    }) as unknown,
  });
  expect(pagesOf(events)).toEqual([]);
});

test('one that takes a page in one step and longer than a window ends as well', async () => {
  const events: ContributorEvent[] = [];
  const run = runExperiment({
    ...ONE,
    windows: 12,
    portsOf: (ports, peer) =>
      slow(14_000)(
        {
          ...ports,
          createTrainer: ({ config, pageSequences }) =>
            createNodeTrainer({ config, sequences: pageSequences, intraOpThreads: 1 }),
        },
        peer,
      ),
    onEvent: (event) => events.push(event),
  });
  await expect(run).rejects.toMatchObject({ cause: { message: expect.stringMatching(/about 1[4-9] s/) as string } });
  expect(pagesOf(events)).toEqual([]);
});

test('one moment in which packing took for ever costs a window or two, not all that follow', async () => {
  let packed = 0;
  const { windows } = await runExperiment({
    ...ONE,
    pages: 2,
    windows: 8,
    portsOf: (ports, { time }) =>
      withTrainer(ports, (trainer) => ({
        ...trainer,
        async createCompressor(scheme) {
          const compressor = await trainer.createCompressor(scheme);
          return {
            ...compressor,
            async compress(window) {
              if (++packed === 2) await time.sleep(20_000);
              return compressor.compress(window);
            },
          };
        },
      })),
  });
  const participants = windows.map((window) => window.participants);
  expect(participants[0]).toBe(1);
  // The computer was asleep for some windows, another one went by with the wrong idea of what packing takes.
  expect(participants.slice(-2)).toEqual([1, 1]);
});

test('a lost device is replaced, and its momentum goes on', { timeout: 60_000 }, async () => {
  const events: ContributorEvent[] = [];
  let engines = 0;
  const { windows } = await runExperiment({
    ...ONE,
    pages: 2,
    windows: 5,
    portsOf: (ports) =>
      withTrainer(ports, (trainer) => {
        const engine = ++engines;
        let steps = 0;
        let applied = 0;
        const lost = new Error('the device was lost');
        return {
          ...trainer,
          // The first is lost while it trains the third window, the second while it applies a step.
          accumulate: (batch) => (engine === 1 && ++steps > 10 ? Promise.reject(lost) : trainer.accumulate(batch)),
          applyStep: (step) => (engine === 2 && ++applied > 3 ? Promise.reject(lost) : trainer.applyStep(step)),
        };
      }),
    onEvent: (event) => events.push(event),
  });
  expect(engines).toBe(3);
  // A device is replaced within the window it was lost in.
  expect(windows.map(({ participants }) => participants)).toEqual([1, 1, 1, 1, 1]);
  expect(warnings(events)).toEqual(Array.from({ length: 2 }, () => expect.stringContaining('rebuilt') as string));
  expect(events.flatMap((event) => (event.type === 'momentum' ? [event.window] : []))).toEqual([2, 4]);
});

test('a device that fails whatever engine it gets is given up', async () => {
  const events: ContributorEvent[] = [];
  const run = runExperiment({
    ...ONE,
    windows: 12,
    portsOf: (ports) =>
      withTrainer(ports, (trainer) => ({ ...trainer, accumulate: () => Promise.reject(new Error('no kernel')) })),
    onEvent: (event) => events.push(event),
  });
  await expect(run).rejects.toMatchObject({ cause: { message: 'no kernel' } });
  expect(warnings(events)).toHaveLength(4);
});

test('a device that cannot train the model at all says what to do, and is not tried again', async () => {
  const events: ContributorEvent[] = [];
  const refusal = Object.assign(new Error('too large'), { remedy: 'Take a smaller one.' });
  const run = runExperiment({
    ...ONE,
    windows: 2,
    portsOf: (ports) => ({ ...ports, createTrainer: () => Promise.reject(refusal) }),
    onEvent: (event) => events.push(event),
  });
  await expect(run).rejects.toMatchObject({ cause: { message: 'too large' } });
  const status = { kind: 'failed', reason: 'too large', remedy: 'Take a smaller one.', code: 'Error' } as const;
  expect(events).toContainEqual({ type: 'status', status });
  expect(warnings(events)).toEqual([]);
});

test('what could not be delivered is taken back into the momentum', { timeout: 60_000 }, async () => {
  const calls: string[] = [];
  let attempts = 0;
  const { windows } = await runExperiment({
    ...ONE,
    pages: 2,
    windows: 3,
    portsOf: (ports) => ({
      ...withTrainer(ports, (trainer) => ({
        ...trainer,
        async createCompressor(scheme) {
          const compressor = await trainer.createCompressor(scheme);
          return {
            ...compressor,
            compress(window) {
              calls.push('compress');
              return compressor.compress(window);
            },
            undo() {
              calls.push('undo');
              return compressor.undo();
            },
          };
        },
      })),
      // The line is cut for the whole of the second window's put phase.
      fetch(input, init) {
        if (init?.method !== 'PUT' || calls.length !== 2) return ports.fetch(input, init);
        attempts++;
        return Promise.reject(new TypeError('offline'));
      },
    }),
  });
  expect(windows.map(({ participants }) => participants)).toEqual([1, 0, 1]);
  expect(attempts).toBeGreaterThan(1);
  expect(calls).toEqual(['compress', 'compress', 'undo', 'compress']);
});

test('paused it trains nothing and follows the run; resumed it delivers again', { timeout: 60_000 }, async () => {
  const events: ContributorEvent[] = [];
  let peer: Contributor | undefined;
  const { windows } = await runExperiment({
    ...ONE,
    windows: 6,
    portsOf: slow(300),
    onEvent(event, { contributor }) {
      peer = contributor;
      events.push(event);
      // In the middle of the second window's second page.
      if (event.type === 'loss' && event.window === 2 && event.step === 2) contributor.pause();
    },
    onWindow({ window }) {
      if (window === 4) peer?.resume();
    },
  });
  const trained = events.flatMap((event) => (event.type === 'loss' ? [event.window] : []));
  expect(trained.filter((window) => window === 2)).toHaveLength(3);
  expect(new Set(trained)).toEqual(new Set([1, 2, 5, 6]));
  // What was finished before the pause is delivered; the windows in between are not this device's.
  expect(windows.map(({ participants }) => participants)).toEqual([1, 1, 0, 0, 1, 1]);
  expect(pagesOf(events)[1]).toBe(1);
  expect(events.some((event) => event.type === 'status' && event.status.kind === 'paused')).toBe(true);
});

test('throttled to half it trains half as many pages', { timeout: 60_000 }, async () => {
  const pagesAt = async (percent: number): Promise<number> => {
    const events: ContributorEvent[] = [];
    await runExperiment({
      ...ONE,
      windows: 3,
      portsOf: slow(200),
      onEvent(event, { contributor }) {
        if (event.type === 'backend') contributor.setThrottle(percent);
        events.push(event);
      },
    });
    return pagesOf(events).at(-1)!;
  };
  expect(await pagesAt(100)).toBeGreaterThanOrEqual(12);
  const half = await pagesAt(50);
  expect(half).toBeGreaterThanOrEqual(6);
  expect(half).toBeLessThanOrEqual(8);
});

test('told to finish it delivers the window it is in, and is gone', { timeout: 60_000 }, async () => {
  const events: ContributorEvent[] = [];
  const { windows } = await runExperiment({
    ...ONE,
    windows: 4,
    portsOf: slow(300),
    onEvent(event, { contributor }) {
      events.push(event);
      if (event.type === 'loss' && event.window === 2 && event.step === 1) contributor.setFinishing(true);
    },
  });
  expect(windows.slice(0, 4).map(({ participants }) => participants)).toEqual([1, 1, 0, 0]);
  expect(events).toContainEqual({ type: 'status', status: { kind: 'stopped' } });
  expect(new Set(events.flatMap((event) => (event.type === 'loss' ? [event.window] : [])))).toEqual(new Set([1, 2]));
});
