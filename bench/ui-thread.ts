/**
 * `npm run bench:ui`: how long the page's own thread is ever busy at a time while the tab trains and a person looks
 * around, from Chromium's trace. Times are of the thread's processor, so that training on the other cores does not count.
 */
import { chromium, type Page } from '@playwright/test';
import type { Leaderboard, WindowSummary } from '../core/protocol/api.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import { CHROMIUM } from '../e2e/chromium.ts';
import { eventually, startValidator, withFolder } from '../e2e/app/running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '14', '--peers', '2', '--attackers', '1', '--port', '0'];
const SCREENS = ['/scores', '/leaderboard', '/run', '/rewards', '/learn', '/settings', '/'];
const RECEIPTS = 2;
const LONG_MS = 50;
/** How large a run may become that must stay smooth. */
const CROWD = 10_000;

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds since some beginning. */
  readonly ts: number;
  readonly dur?: number;
  /** Microseconds of the thread's processor time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly data?: { readonly url?: string } };
}

/** The thread that draws the page: of all renderers' main threads the one that did most. */
function pageTasks(events: readonly TraceEvent[]): TraceEvent[] {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const tasks = mains.map(({ pid, tid }) =>
    events.filter((event) => event.name === 'RunTask' && event.pid === pid && event.tid === tid),
  );
  return tasks.sort((a, b) => b.length - a.length)[0] ?? [];
}

function report(title: string, events: readonly TraceEvent[]): void {
  const tasks = pageTasks(events);
  const times = tasks.map(({ tdur = 0 }) => tdur / 1_000).sort((a, b) => b - a);
  const busy = times.reduce((sum, ms) => sum + ms, 0);
  const [first, last] = [tasks[0], tasks.at(-1)];
  const seconds = first && last ? (last.ts - first.ts) / 1e6 : 0;
  const longest = times.slice(0, 3).map((ms) => `${ms.toFixed(1)} ms`);
  console.log(
    `${title}: ${tasks.length} tasks in ${seconds.toFixed(0)} s, ${((busy / seconds / 1_000) * 100).toFixed(1)} % busy; ` +
      `longest ${longest.join(', ')}; over ${LONG_MS} ms: ${times.filter((ms) => ms > LONG_MS).length}`,
  );
}

async function traced(page: Page, title: string, work: () => Promise<void>): Promise<void> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'],
  });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  report(title, trace.traceEvents);
}

/** A real leaderboard's peers again and again, each under a hotkey of its own. */
function crowded({ window, peers }: Leaderboard, round: number): Leaderboard {
  const rows = Array.from({ length: CROWD }, (_, i) => {
    const key = new Uint8Array(32);
    new DataView(key.buffer).setUint32(0, i);
    // Who is where changes from one answer to the next.
    const rank = ((i + round * 37) % CROWD) + 1;
    return { ...peers[i % peers.length]!, hotkey: encodeAddress(key), uid: i, rank, peerScore: (CROWD - rank) / 100 };
  });
  return { window: window + round, peers: rows.sort((a, b) => a.rank - b.rank) };
}

/** A real run's windows, continued to ten thousand. */
function longHistory(windows: readonly WindowSummary[]): WindowSummary[] {
  return Array.from({ length: CROWD }, (_, i) => ({
    ...windows[i % windows.length]!,
    window: i + 1,
    lossAfter: 6 - 3 * (1 - Math.exp(-i / 2_000)) + 0.05 * Math.sin(i * 12.9898),
  }));
}

/** The validator's answers about peers and windows, as a run of ten thousand of each would give them. */
async function enlarge(page: Page, leaderboard: Leaderboard, windows: readonly WindowSummary[]): Promise<void> {
  const history = longHistory(windows);
  let round = 0;
  // Without its news the page asks every two seconds, and gets another answer each time.
  await page.route('**/v1/events', (route) => route.abort());
  await page.route('**/v1/leaderboard*', (route) => route.fulfill({ json: crowded(leaderboard, round++) }));
  await page.route('**/v1/clock', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), window: CROWD + 1 } });
  });
  await page.route('**/v1/windows?*', (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const from = Number(asked.get('from') ?? 1);
    const limit = Number(asked.get('limit') ?? 100);
    const every = Number(asked.get('every') ?? 1);
    const rows = history.filter(({ window }) => window >= from && (window - 1) % every === 0);
    return route.fulfill({ json: rows.slice(0, limit) });
  });
}

await withFolder(async (folder) => {
  const validator = await startValidator(folder, RUN);
  const browser = await chromium.launch(CHROMIUM);
  try {
    const page = await browser.newPage();
    await page.goto(`${validator.url}/?backend=wasm`);
    await page.getByTestId('start').waitFor();
    const receipts = async (): Promise<number> => {
      const { peers } = await validator.api.leaderboard();
      return peers.length;
    };
    const before = await receipts();
    await traced(page, 'start and training', async () => {
      await page.getByTestId('start').click();
      await eventually(async () => (await receipts()) > before, 120_000, 'the tab to join');
      const joined = (await validator.api.clock()).window;
      await eventually(async () => (await validator.api.clock()).window >= joined + RECEIPTS, 120_000, 'two windows');
    });
    await traced(page, 'looking around while it trains', async () => {
      for (const screen of SCREENS) {
        await page.goto(`${validator.url}/?backend=wasm#${screen}`);
        await page.waitForTimeout(2_000);
      }
    });
    await page.close();
    const crowd = await browser.newPage();
    await enlarge(crowd, await validator.api.leaderboard(), await validator.api.windows(1, 100));
    await crowd.goto(`${validator.url}/#/settings`);
    for (const screen of ['/leaderboard', '/run']) {
      await traced(crowd, `${screen} with ${CROWD} peers and windows, new figures every two seconds`, async () => {
        await crowd.goto(`${validator.url}/#${screen}`);
        await crowd.waitForTimeout(4_000);
        for (let i = 0; i < 20; i++) {
          await crowd.mouse.wheel(0, 900);
          await crowd.waitForTimeout(100);
        }
        await crowd.waitForTimeout(2_000);
      });
    }
  } finally {
    await browser.close();
    await validator.interrupt();
  }
});
