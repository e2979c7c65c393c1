/**
 * A validator under load: peers that deliver, guests that join, watchers that follow, and the read-only routes meanwhile.
 * Every part is a process of its own; all of them, and what they measure, share this machine.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HEARTBEAT_MS } from '../../client/live-pace.ts';
import { PRESETS, type PresetName } from '../../core/model/presets.ts';
import { currentCommit, describeMachine } from '../machine.ts';
import { PeersMessage, RoutesMessage, ServerMessage, WatchersMessage } from './messages.ts';
import { startPart } from './processes.ts';
import { latencyOf, loadDocument, type FanOut, type LoadReport, type LoadWindow } from './report.ts';
import { compareWays } from './ways.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    /** To be said in the document. */
    busy: { type: 'boolean', default: false },
    /** Without it the whole writes to docs/measurements, and a quick try nowhere. */
    out: { type: 'string' },
  },
});

interface Size {
  readonly preset: PresetName;
  readonly peers: number;
  readonly guests: number;
  readonly guestSeconds: number;
  readonly watchers: number;
  /** Of watchers: a process may have 20,000 files open here. */
  readonly watcherProcesses: number;
  readonly connectsPerSecond: number;
  /** After the first, in which everybody comes. */
  readonly windows: number;
}

const SIZE: Size = values.quick
  ? {
      preset: 'micro',
      peers: 50,
      guests: 100,
      guestSeconds: 6,
      watchers: 1_000,
      watcherProcesses: 1,
      connectsPerSecond: 500,
      windows: 2,
    }
  : {
      preset: 'mini',
      peers: 250,
      guests: 1_000,
      guestSeconds: 60,
      watchers: 10_000,
      watcherProcesses: 2,
      connectsPerSecond: 400,
      windows: 3,
    };
/** The last window's readings of the leaderboard. */
const AFTERWARDS_MS = values.quick ? 3_000 : 30_000;
const SETTLING_MS = 5_000;
/** What the polls of so many pages come to. */
const CLOCKS_A_SECOND = Math.max(20, SIZE.watchers / (HEARTBEAT_MS / 1_000));
/** In whole, besides those that events lead to. */
const LEADERBOARDS_A_SECOND = 10;

const begun = performance.now();
function say(text: string): void {
  console.log(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function createRun(folder: string): Promise<void> {
  const cli = fileURLToPath(new URL('../../bin/gauntlet.js', import.meta.url));
  const child = spawn(process.execPath, [cli, 'run', 'create', '--data', folder, '--preset', SIZE.preset], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error('the run could not be made');
}

const loadBefore = loadavg()[0]!;
const folder = await mkdtemp(join(tmpdir(), 'gauntlet-load-'));
const dataDir = join(folder, 'run');
say(`making a run of ${SIZE.preset}`);
await createRun(dataDir);

const { told: server, process: serverProcess } = startPart(
  'server',
  [dataDir, String(SIZE.guests + SIZE.peers)],
  ServerMessage,
  (message) => {
    if (message.type !== 'window') return;
    const { window, participants, evaluated, overrunMs } = message;
    const seconds = (overrunMs / 1_000).toFixed(1);
    say(`window ${window}: ${participants} contributions, ${evaluated} evaluated, judged in ${seconds} s`);
  },
);
const { url } = await server.first('ready');

const { told: peers, process: peersProcess } = startPart(
  'peers',
  [url, String(SIZE.peers)],
  PeersMessage,
  (message) => {
    if (message.type === 'guests') say(`${message.joinMs.length} guests joined in ${message.seconds.toFixed(0)} s`);
    if (message.type !== 'window') return;
    const { window, receiptMs, lost, retries } = message;
    const trouble = Object.keys({ ...lost, ...retries }).length > 0;
    const what = trouble ? ` (lost ${JSON.stringify(lost)}, again ${JSON.stringify(retries)})` : '';
    const seconds = (Math.max(0, ...receiptMs) / 1_000).toFixed(1);
    say(`window ${window}: ${receiptMs.length} receipts within ${seconds} s${what}`);
  },
);
await peers.first('ready');
say(`${SIZE.peers} peers have joined`);

/** What the validator holds now. */
async function memory(): Promise<number> {
  const before = server.all.length;
  serverProcess.send('memory');
  return (await server.first('memory', before)).rssBytes;
}
const rssBytesWithoutWatchers = await memory();

const share = SIZE.watchers / SIZE.watcherProcesses;
const watchers = Array.from({ length: SIZE.watcherProcesses }, () =>
  startPart('watchers', [url, String(share), String(SIZE.connectsPerSecond / SIZE.watcherProcesses)], WatchersMessage),
);
const ready = await Promise.all(watchers.map(({ told }) => told.first('ready')));
const connected = ready.reduce((sum, one) => sum + one.connected, 0);
say(`${connected} of ${SIZE.watchers} watchers follow`);
const rssBytesWithWatchers = await memory();

/** What was seen since it was last asked for. */
const askWatchers = (ask: 'report' | 'end'): Promise<Extract<WatchersMessage, { type: 'report' }>[]> =>
  Promise.all(
    watchers.map(({ told, process: watching }) => {
      const before = told.all.length;
      watching.send(ask);
      return told.first('report', before);
    }),
  );

const published = (window: number): Promise<unknown> =>
  server.find(`window ${window}`, (message) => message.type === 'window' && message.window === window);
/** The window in which everybody has come, and which is not measured. */
const settling = Math.max(0, ...server.of('window').map(({ window }) => window)) + 1;
await published(settling);
// Readings that its end led to.
await sleep(SETTLING_MS);
await askWatchers('report');
const measuredFrom = Date.now();

const { told: routeFigures, process: routesProcess } = startPart(
  'routes',
  [url, `GET /v1/clock|/v1/clock|${CLOCKS_A_SECOND}`, `GET /v1/leaderboard|/v1/leaderboard|${LEADERBOARDS_A_SECOND}`],
  RoutesMessage,
);
await routeFigures.first('ready');
peersProcess.send({ guests: SIZE.guests, seconds: SIZE.guestSeconds });

const measured = Array.from({ length: SIZE.windows }, (_, i) => settling + 1 + i);
for (const window of measured) await published(window);
await sleep(AFTERWARDS_MS);
routesProcess.send('end');
const { routes } = await routeFigures.first('routes');
const reports = await askWatchers('end');
const guests = peers.of('guests')[0];
const phases = server.of('phase');
peersProcess.disconnect();
serverProcess.send('end');
await new Promise((resolve) => serverProcess.once('exit', resolve));
await rm(folder, { recursive: true });

say('comparing with the first versions');
const ways = await compareWays(SIZE.watchers, say);

function windowFigures(window: number): LoadWindow {
  const judged = server.of('window').find((message) => message.window === window)!;
  const delivered = peers.of('window').find((message) => message.window === window);
  return {
    window,
    participants: judged.participants,
    evaluated: judged.evaluated,
    overrunMs: judged.overrunMs,
    receipts: delivered?.receiptMs.length ?? 0,
    lost: delivered?.lost ?? { 'not played': SIZE.peers },
    retries: delivered?.retries ?? {},
    ticket: latencyOf(delivered?.ticketMs ?? []),
    upload: latencyOf(delivered?.uploadMs ?? []),
    receipt: latencyOf(delivered?.receiptMs ?? []),
    step: latencyOf(delivered?.stepMs ?? []),
  };
}

/** Events of the measured windows, those of a kind together. */
function fanOuts(): FanOut[] {
  const kinds = new Map<string, { emitted: number; delays: number[] }>();
  const emissions = new Map<string, number[]>();
  for (const { key, at } of server.of('event')) {
    if (at >= measuredFrom) emissions.set(key, [...(emissions.get(key) ?? []), at]);
  }
  for (const [key, times] of emissions) {
    const [type, , phase] = key.split(' ');
    const kind = phase === undefined ? type! : `${type!} (${phase})`;
    const known = kinds.get(kind) ?? { emitted: 0, delays: [] };
    known.emitted += times.length;
    for (const report of reports) {
      for (const at of report.arrivals[key] ?? []) known.delays.push(at - times.findLast((time) => time <= at + 1)!);
    }
    kinds.set(kind, known);
  }
  return [...kinds].map(([event, { emitted, delays }]): FanOut => {
    const { p50, p99, max } = latencyOf(delays);
    const firstMs = Number(
      Math.max(
        0,
        delays.reduce((least, ms) => Math.min(least, ms), Infinity),
      ).toFixed(2),
    );
    return {
      event,
      expected: emitted * connected,
      delivered: delays.length,
      firstMs,
      p50Ms: p50,
      p99Ms: p99,
      lastMs: max,
    };
  });
}

const windows = measured.map(windowFigures);
const sum = (pick: (report: (typeof reports)[number]) => number): number =>
  reports.reduce((all, one) => all + pick(one), 0);
const lastLeaderboardAt = server.of('event').findLast(({ key }) => key.startsWith('leaderboard'))!.at;
const { trainSeconds, putSeconds } = PRESETS[SIZE.preset].window;
const report: LoadReport = {
  version: 1,
  date: new Date().toISOString(),
  command: `npm run bench:load${values.quick ? ' -- --quick' : ''}`,
  commit: currentCommit(),
  machine: describeMachine(),
  node: process.version,
  busy: values.busy,
  loadBefore,
  preset: SIZE.preset,
  window: { trainSeconds, putSeconds },
  peers: SIZE.peers,
  watchers: { wanted: SIZE.watchers, connected, connectSeconds: Math.max(...ready.map(({ seconds }) => seconds)) },
  guests: {
    ...latencyOf(guests?.joinMs ?? []),
    wanted: SIZE.guests,
    seconds: guests?.seconds ?? 0,
    lost: guests?.lost ?? { 'still waiting': SIZE.guests },
  },
  windows,
  missed: {
    windows: windows.filter(({ participants }) => participants === 0).length,
    deliveries: windows.reduce((all, { receipts }) => all + SIZE.peers - receipts, 0),
  },
  routes,
  fanOut: fanOuts(),
  stream: {
    broken: sum(({ broken }) => broken),
    bytesAWindow: Math.round(sum(({ streamBytes }) => streamBytes) / connected / SIZE.windows),
    leaderboardBytesAWindow: Math.round(sum(({ readingBytes }) => readingBytes) / connected / SIZE.windows),
    reading: {
      ...latencyOf(reports.flatMap(({ readingMs }) => readingMs)),
      failed: sum(({ failedReadings }) => failedReadings),
    },
    lastReadingMs: Math.max(...reports.map(({ lastReadingAt }) => (lastReadingAt ?? NaN) - lastLeaderboardAt)),
  },
  ways,
  server: {
    rssBytesWithoutWatchers,
    rssBytesWithWatchers,
    peakRssBytes: Math.max(...phases.map(({ peakRssBytes }) => peakRssBytes)),
    phases: phases.map(({ type: _, ...phase }) => phase).filter(({ window }) => window > settling),
  },
};
const text = loadDocument(report);
const out =
  values.out ??
  (values.quick ? undefined : join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'measurements'));
if (out !== undefined) {
  await writeFile(join(out, 'load.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(out, 'load.md'), text);
}
console.log(`\n${text}`);
process.exit();
