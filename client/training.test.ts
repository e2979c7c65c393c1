import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { parameterLayout } from '../core/model/layout.ts';
import { PRESETS } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Trainer } from '../engine/engine.ts';
import type { ContributorContext } from './context.ts';
import { createControls, type Controls } from './controls.ts';
import { timeLeft } from './deadline.ts';
import { createDevice, type Device } from './device.ts';
import type { ContributorEvent } from './events.ts';
import type { Page } from './page-source.ts';
import { trainPages, type Training } from './training.ts';

const LENGTH = 4;
/** More than most cases have time for. */
const PAGES = 1_000;
const { model, scheme: parameters } = PRESETS.micro;
const scheme = createScheme(parameters, parameterLayout(model));

/** An engine that only takes its time: what is tested is when it is asked. */
function timedTrainer(sequences: number, step: () => void, localStep: () => void): Trainer {
  const unused = (): never => {
    throw new Error('training does not ask for this');
  };
  return {
    report: { backend: 'node', device: 'clockwork', software: false, reasons: [] },
    sequences,
    length: LENGTH,
    setParameters: unused,
    readParameters: unused,
    applyStep: unused,
    loss: unused,
    accumulate(batch) {
      step();
      return Promise.resolve({ sum: batch.tokens.length, count: batch.tokens.length });
    },
    takeGradient: () => Promise.resolve(new Float32Array(0)),
    discardGradient: () => Promise.resolve(),
    createCompressor: () =>
      Promise.resolve({
        stateBytes: 0,
        localStep() {
          localStep();
          return Promise.resolve();
        },
        compress: unused,
        discard: unused,
        undo: unused,
        saveState: unused,
        loadState: unused,
      }),
    dispose: () => Promise.resolve(),
  };
}

let now = 0;
let events: ContributorEvent[] = [];
let controls: Controls;
let context: ContributorContext;
let abort: AbortController;
/** Called before each sleep ends. */
let onSleep: (() => void) | undefined;

function prepare(throttlePercent = 100): void {
  now = 0;
  events = [];
  onSleep = undefined;
  abort = new AbortController();
  const sleep = async (ms: number): Promise<void> => {
    await Promise.resolve();
    now += ms;
    onSleep?.();
  };
  const { signal } = abort;
  controls = createControls({ now: () => now, sleep }, signal, { paused: false, finishing: false, throttlePercent });
  const emit = (event: ContributorEvent): void => void events.push(event);
  // The ports and the validator are not training's business.
  const rest = {} as Pick<ContributorContext, 'ports' | 'api' | 'clock'>;
  context = { ...rest, controls, signal, emit, status: (status) => emit({ type: 'status', status }) };
}

function makeDevice(microBatches: number, step: () => void, localStep: () => void = () => undefined): Promise<Device> {
  return createDevice(
    { createTrainer: () => Promise.resolve(timedTrainer(1, step, localStep)), now: () => now },
    { config: model, pageSequences: microBatches, scheme, replaceTrainer: undefined },
  );
}

interface Window {
  readonly trainMs: number;
  readonly putMs: number;
  readonly reserveMs: number;
}

/** Trains one window that begins now; pages are plenty. */
function trainWindow(
  device: Device,
  microBatches: number,
  { trainMs, putMs, reserveMs }: Window,
  pagesPerStep = Infinity,
): Promise<Training> {
  const opened = now;
  // A source that is never at a loss.
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* pages(): AsyncGenerator<Page> {
    for (let number = 0; number < PAGES; number++) {
      yield { number, sha256: String(number), tokens: new Int32Array(microBatches * LENGTH) };
    }
  }
  return trainPages(context, {
    device,
    window: 1,
    pages: pages(),
    pagesAssigned: PAGES,
    pagesPerStep,
    pageSequences: microBatches,
    timeLeft: () => timeLeft(opened + trainMs - now, opened + trainMs + putMs - now, reserveMs),
  });
}

const statuses = (): string[] => events.flatMap((event) => (event.type === 'status' ? [event.status.kind] : []));
const losses = (): number => events.filter(({ type }) => type === 'loss').length;

beforeEach(() => prepare());

describe('training a window', () => {
  const cases = fc.record({
    stepMs: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 100, max: 4_000 })),
    microBatches: fc.integer({ min: 1, max: 8 }),
    throttlePercent: fc.integer({ min: 10, max: 100 }),
    trainMs: fc.integer({ min: 3_000, max: 20_000 }),
    putMs: fc.integer({ min: 1_500, max: 10_000 }),
    reserveShare: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
    seed: fc.string(),
  });

  test('ends in time for the delivery, uses the time there is, and rests as asked', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ stepMs, microBatches, throttlePercent, trainMs, putMs, reserveShare, seed }) => {
        prepare(throttlePercent);
        const random = createRandom(seedFrom(seed));
        let busy = 0;
        const device = await makeDevice(microBatches, () => {
          const ms = stepMs * (0.75 + 0.5 * random.uniform());
          busy += ms;
          now += ms;
        });
        const window = { trainMs, putMs, reserveMs: putMs * reserveShare };
        const pageMs = (microBatches * stepMs * 100) / throttlePercent;
        for (let i = 0; i < 4; i++) {
          const opened = now;
          busy = 0;
          const { pages } = await trainWindow(device, microBatches, window);
          const elapsed = now - opened;
          const left = timeLeft(trainMs - elapsed, trainMs + putMs - elapsed, window.reserveMs);
          // The first steps on an unknown device can only be tried.
          const surpriseMs = i === 0 ? 2 * stepMs : stepMs / 2;
          expect(left.latestMs).toBeGreaterThan(-1.3 * surpriseMs);
          if (i > 1 && pages.length > 1 && pages.length < PAGES) expect(left.plannedMs).toBeLessThan(2.5 * pageMs + 50);
          if (i > 0 && 1.3 * pageMs < left.latestMs + elapsed) expect(pages.length).toBeGreaterThan(0);
          const beforeLast = Math.max(0, busy - 1.25 * stepMs);
          if (elapsed > 2_000) expect((100 * beforeLast) / elapsed).toBeLessThan(throttlePercent + 5);
          // The judgement takes long enough for all rest that is due.
          controls.throttle.idled(60_000);
          now += 60_000;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('takes a local step after every so many pages, and has time for it', async () => {
    const window = { trainMs: 3_050, putMs: 1_000, reserveMs: 500 };
    let pagesSoFar = 0;
    const stepsAfter: number[] = [];
    const device = await makeDevice(
      1,
      () => {
        pagesSoFar++;
        now += 100;
      },
      () => {
        stepsAfter.push(pagesSoFar);
        now += 400;
      },
    );
    // Until it is known that everything always takes as long.
    for (let i = 0; i < 5; i++) await trainWindow(device, 1, window, 2);
    pagesSoFar = 0;
    stepsAfter.length = 0;
    const opened = now;
    const { pages } = await trainWindow(device, 1, window, 2);
    // Two pages and a step take 600 ms: five of these, and no page that would end in a sixth.
    expect(stepsAfter).toEqual([2, 4, 6, 8, 10]);
    expect(pages).toHaveLength(10);
    expect(now - opened).toBeLessThanOrEqual(window.trainMs);
    // In another window the step that would not fit is one page earlier.
    const short = await trainWindow(device, 1, { ...window, trainMs: 2_750 }, 2);
    expect(short.pages).toHaveLength(9);
  });

  test('declares whole pages, and breaks one off that turns out too long', async () => {
    const window = { trainMs: 2_000, putMs: 1_000, reserveMs: 500 };
    const steady = await makeDevice(4, () => (now += 100));
    expect((await trainWindow(steady, 4, window)).pages).toHaveLength(4);
    let steps = 0;
    const slowing = await makeDevice(4, () => (now += ++steps > 5 ? 1_500 : 100));
    const { pages } = await trainWindow(slowing, 4, window);
    expect(pages).toEqual(['0']);
    // The sixth step took 1,500 ms: two more would not have ended in time.
    expect(steps).toBeLessThan(8);
  });

  test('times a device anew before it believes that no page fits, and says what a page takes', async () => {
    let stepMs = 1_000;
    const device = await makeDevice(8, () => (now += stepMs));
    const window = { trainMs: 3_000, putMs: 1_000, reserveMs: 500 };
    const hidden = await trainWindow(device, 8, window);
    expect(hidden).toMatchObject({ pages: [], pageMs: 8_000 });
    expect(losses()).toBeLessThan(4);
    stepMs = 50;
    expect((await trainWindow(device, 8, window)).pages.length).toBeGreaterThan(3);
  });

  test('pauses after the present micro-batch and goes on in the same window', async () => {
    let steps = 0;
    const device = await makeDevice(4, () => {
      now += 100;
      if (++steps === 6) controls.setPaused(true);
    });
    let stepsWhilePaused = -1;
    onSleep = () => {
      stepsWhilePaused = steps;
      if (now > 5_000) controls.setPaused(false);
    };
    const { pages } = await trainWindow(device, 4, { trainMs: 10_000, putMs: 1_000, reserveMs: 500 });
    expect(stepsWhilePaused).toBe(6);
    expect(statuses().filter((kind) => kind === 'paused')).toHaveLength(1);
    expect(pages.length).toBeGreaterThan(2);
    expect(now).toBeLessThanOrEqual(10_500);
  });

  test('that is paused to the end keeps the pages that were finished', async () => {
    let steps = 0;
    const device = await makeDevice(4, () => {
      now += 100;
      if (++steps === 6) controls.setPaused(true);
    });
    const { pages } = await trainWindow(device, 4, { trainMs: 10_000, putMs: 1_000, reserveMs: 500 });
    expect(pages).toEqual(['0']);
    expect(steps).toBe(6);
  });

  test('ends at once when it is stopped', async () => {
    const device = await makeDevice(4, () => {
      now += 100;
      if (losses() === 2) abort.abort(new Error('stopped'));
    });
    await expect(trainWindow(device, 4, { trainMs: 10_000, putMs: 1_000, reserveMs: 500 })).rejects.toThrow('stopped');
    expect(losses()).toBe(3);
  });
});
