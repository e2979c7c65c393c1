/**
 * Window after window in the real app against a real validator: nothing grows. `SOAK=FILE` keeps what was measured, from
 * which `npx tsx e2e/soak/report.ts` draws.
 */
import { writeFile } from 'node:fs/promises';
import { expect, test, type Page } from '@playwright/test';
import { eventually, startValidator, withFolder, TABS_ALONE, type RunningValidator } from '../app/running-validator.ts';
import { inLength, NIGHTLY } from '../nightly.ts';
import type { Measurement } from './measurement.ts';
import { INSPECTABLE, openNodeHeap, type NodeHeap } from './node-heap.ts';
import { browserProcesses, ownBytes } from './processes.ts';
import { TRAINER } from '../trainer-worker.ts';
import { readStored } from './stored.ts';
import { followTargets, type Targets } from './targets.ts';
import { slope } from './trend.ts';

const WINDOWS = inLength(12, 1_000);
const EVERY = inLength(3, 10);
/** The longer form is for a machine with nothing else to do; twelve windows have time for one that has. */
const WINDOW_SECONDS = inLength(4, 2);
const RUN = ['--preset', 'micro', '--window', String(WINDOW_SECONDS), ...TABS_ALONE];
/** Leaves the machine some air, and long pauses in which nothing is computed. */
const QUERY = '?backend=wasm&throttle=40';
const FILE = process.env['SOAK'];
/** Seen between measurements in turn, so that what they leave behind is measured too. */
const SCREENS = ['run', 'leaderboard', 'scores', 'rewards', 'settings', 'learn'];

const KIB = 2 ** 10;
const MIB = 2 ** 20;
/** The page keeps the newest 500 windows, and Run reads older ones by 500: until it was seen with these, the page grows. */
const WARM = inLength(6, 500 + 2 * EVERY * SCREENS.length);
/** Bytes a window, from there on. */
const BOUNDS = { page: KIB, trainer: KIB, validator: 2 * KIB } as const;
/** Of a few windows no trend can be told; a whole model or message that is kept each time can. */
const SHORT_BOUND = MIB;

interface Subject {
  readonly page: Page;
  readonly targets: Targets;
  readonly validator: RunningValidator;
  readonly heap: NodeHeap;
  readonly startedAtMs: number;
}

async function measure(
  { page, targets, validator, heap, startedAtMs }: Subject,
  failures: readonly string[],
): Promise<Measurement> {
  const { window } = await validator.api.clock();
  const { peers } = await validator.api.leaderboard();
  const peer = peers[0] && (await validator.api.peer(peers[0].hotkey));
  const renderers = (await browserProcesses()).filter(({ type }) => type === 'renderer');
  const own = await Promise.all(renderers.map(({ pid }) => ownBytes(pid)));
  return {
    window,
    seconds: Math.round((Date.now() - startedAtMs) / 1_000),
    failures,
    delivered: peer?.contributions.accepted ?? 0,
    page: await targets.page(),
    trainer: await targets.worker(TRAINER),
    rendererBytes: own.reduce((sum, bytes) => sum + bytes, 0),
    stored: await readStored(page),
    validator: { ...(await heap.read()), ownBytes: await ownBytes(validator.pid) },
  };
}

/** Until the window; a tab that could not go on says why, and is started again, as its owner would. */
async function passUntil(window: number, { page, validator }: Subject): Promise<string[]> {
  const failures: string[] = [];
  await eventually(
    async () => {
      const failed = page.locator('[data-status="failed"]');
      if (await failed.isVisible()) {
        failures.push(await failed.innerText());
        await page.getByTestId('start').click();
      }
      return (await validator.api.clock()).window >= window;
    },
    600_000,
    `window ${window}`,
  );
  return failures;
}

/** Two checkpoints while one takes the other’s place, a step a window between them, the momentum, the index of pages. */
async function storageBound({ api }: RunningValidator): Promise<{ readonly bytes: number; readonly blobs: number }> {
  const { manifest } = await api.run();
  const { chunks } = await api.checkpoint();
  const steps = manifest.checkpoint.everyWindows;
  const stepBytes = Math.max(...(await api.windows(1, 500)).map(({ outerStep }) => outerStep?.bytes ?? 0));
  const modelBytes = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytes: 3 * modelBytes + steps * stepBytes + manifest.data.index.bytes,
    blobs: 2 * chunks.length + steps + 1,
  };
}

// A trace takes pictures of the page, which stay in its memory.
test.use({ trace: 'off' });

const KEPT = [
  ['page', (each: Measurement) => each.page.heapBytes + each.page.backingBytes],
  ['trainer', (each: Measurement) => (each.trainer ? each.trainer.heapBytes + each.trainer.backingBytes : undefined)],
  ['validator', (each: Measurement) => each.validator.heapBytes + each.validator.backingBytes],
] as const;

function expectNoGrowth(measured: readonly Measurement[]): void {
  for (const [name, read] of KEPT) {
    const points = measured
      .filter(({ window }) => window >= WARM)
      .flatMap((each) => {
        const bytes = read(each);
        return bytes === undefined ? [] : [[each.window, bytes] as const];
      });
    expect(points.length, `measurements of the ${name}`).toBeGreaterThanOrEqual(2);
    if (NIGHTLY) expect(slope(points), `bytes a window of the ${name}`).toBeLessThan(BOUNDS[name]);
    else expect(points.at(-1)![1] - points[0]![1], `growth of the ${name}`).toBeLessThan(SHORT_BOUND);
  }
  const wasm = new Set(measured.flatMap(({ trainer }) => trainer?.wasmBytes ?? []));
  expect(wasm.size, 'sizes of the memory of WebAssembly').toBe(1);
}

test(`${WINDOWS} windows: no growth of memory, and storage within its bound`, async ({ page }) => {
  test.setTimeout(120_000 + WINDOWS * 15_000);
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN, INSPECTABLE);
    const subject: Subject = {
      page,
      validator,
      heap: await openNodeHeap(validator),
      targets: await followTargets(page),
      startedAtMs: Date.now(),
    };
    const measured: Measurement[] = [];
    const show = (screen: string): Promise<unknown> => page.goto(`${validator.url}/${QUERY}#/${screen}`);
    try {
      await show('');
      await page.getByTestId('start').click();
      const { window: first } = await validator.api.clock();
      for (let round = 1; round * EVERY <= WINDOWS; round++) {
        const failures = await passUntil(first + round * EVERY, subject);
        await show('');
        await expect(page.getByTestId('stop')).toBeVisible();
        measured.push(await measure(subject, failures));
        if (FILE !== undefined)
          await writeFile(FILE, `[\n${measured.map((each) => JSON.stringify(each)).join(',\n')}\n]\n`);
        // The next but one measurement is of a page that nobody touched.
        if (round % 2 === 0) await show(SCREENS[(round / 2) % SCREENS.length]!);
      }
      const { bytes, blobs } = await storageBound(validator);
      for (const { stored } of measured) {
        expect(stored.bytes).toBeLessThanOrEqual(bytes);
        expect(stored.records['blobs']).toBeLessThanOrEqual(blobs);
      }
      expect(measured.at(-1)!.delivered).toBeGreaterThanOrEqual(WINDOWS / 4);
      expectNoGrowth(measured);
    } finally {
      subject.heap.close();
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
