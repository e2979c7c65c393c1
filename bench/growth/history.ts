/**
 * A database of ever more published windows, and what the validator's questions of it take: `npx tsx bench/growth/history.ts
 * WINDOWS…`, in ascending order, in a process of its own. The first hundred windows are written by the store; the others are
 * their rows again under later numbers, which takes seconds where a run would take years.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { encodeAddress } from '../../core/identity/ss58.ts';
import { seedFrom } from '../../core/numerics/prng.ts';
import { createJudgePool } from '../../validator/adapters/judge-pool.ts';
import { openSqliteStore } from '../../validator/adapters/sqlite.ts';
import { systemClock } from '../../validator/adapters/system-clock.ts';
import { verifyRun } from '../../validator/adapters/verify.ts';
import { judgeWindow } from '../../validator/rounds/judge.ts';
import { publishWindow } from '../../validator/rounds/publish.ts';
import type { RunStore, WindowClose } from '../../validator/rounds/store.ts';
import { createViews } from '../../validator/rounds/views.ts';
import { beginWindow } from '../../validator/rounds/windows.ts';
import { createCrowdRun, NOW, rowOf, type CrowdRun } from './crowd.ts';
import { DELIVERING, HISTORY_PEERS, type HistoryFigures } from './history-figures.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import { quiet, unmeasured } from './quiet.ts';

const WRITTEN = 100;
const LISTED = 100;
const CHECKPOINT_WINDOWS = 20;

const hotkeyOf = (peer: number): string => encodeAddress(seedFrom('hotkey', peer));
const report = (progress: string): void => void process.send?.({ progress });

/** What a real judgement of so few peers has written. */
async function publishedWindow({ folder, context, open, parameters }: CrowdRun): Promise<WindowClose> {
  const engine = createJudgePool({ run: context.run, manifest: context.manifest }, { lanes: 1, intraOpThreads: 1 });
  const ports = { ...folder, clock: systemClock, createJudgeEngine: () => engine, log: quiet, metrics: unmeasured };
  const judgement = await judgeWindow(context, ports, engine, { open, parameters });
  await engine.dispose();
  let written: WindowClose | undefined;
  const store: RunStore = {
    ...folder.store,
    closeWindow(close) {
      written = close;
      return folder.store.closeWindow(close);
    },
  };
  await publishWindow(context, { ...ports, store }, open, judgement);
  return written!;
}

/** The same window under another number, of other peers. @param rename hotkeys */
function asWindow(like: WindowClose, window: number, rename: ReadonlyMap<string, string>): WindowClose {
  let text = JSON.stringify(like).replaceAll(`"window":${like.record.window},`, `"window":${window},`);
  for (const [from, to] of rename) text = text.replaceAll(from, to);
  const close = JSON.parse(text) as WindowClose;
  return { ...close, next: { ...close.next, window: window + 1 }, checkpoint: null, forgetTicketsBefore: window - 1 };
}

interface History {
  readonly path: string;
  readonly crowd: CrowdRun;
  readonly like: WindowClose;
}

/** @returns a database with the first windows */
async function begin(dir: string): Promise<History> {
  const onProgress = (): void => undefined;
  const crowd = await createCrowdRun(join(dir, 'one'), { preset: 'micro', peers: DELIVERING, onProgress });
  const like = await publishedWindow(crowd);
  const { context, open, folder } = crowd;
  const { run, manifest } = context;
  const path = join(dir, 'run.sqlite');
  const store = await openSqliteStore(path);
  const { checkpoint } = await folder.store.checkpoint();
  const start = { run, opensAt: NOW, previousReveal: null, length: manifest.window, secret: seedFrom('secret') };
  const first = beginWindow({ ...start, window: 1, stateRoot: open.stateRoot });
  await store.createRun(context.signed, { ...checkpoint, window: 1 }, first);
  const times = { issuedAt: new Date(NOW).toISOString(), expiresAt: new Date(NOW + 864e5).toISOString() };
  for (let peer = 0; peer < HISTORY_PEERS; peer++) {
    await store.join(
      { run, hotkey: hotkeyOf(peer), sessionKey: '00'.repeat(32), scopes: ['contribute'], ...times },
      {
        firstWindow: 1,
        figures: freshFigures(manifest.gauntlet),
        replaces: null,
        maxPeers: HISTORY_PEERS,
        guest: true,
        origin: null,
        bounds: null,
      },
    );
  }
  for (let window = 1; window <= WRITTEN; window++) {
    const rename = new Map<string, string>();
    for (let i = 0; i < DELIVERING; i++) {
      const hotkey = hotkeyOf((window * DELIVERING + i) % HISTORY_PEERS);
      rename.set(like.history[i]!.hotkey, hotkey);
      const { sha256, bytes } = like.record.contributions[i]!;
      await store.accept(rowOf(run, { window, hotkey, sha256, bytes, arrivedAt: times.issuedAt }));
    }
    await store.closeWindow(asWindow(like, window, rename));
  }
  await store.close();
  return { path, crowd, like };
}

/** Repeats the written windows until there are so many published ones. */
function prolong(path: string, from: number, to: number): void {
  const db = new Database(path);
  for (const pragma of ['busy_timeout = 10000', 'synchronous = OFF', 'cache_size = -200000']) db.pragma(pragma);
  const renumbered = (column: string): string =>
    `replace(${column}, '"window":' || window || ',', '"window":' || (window + @by) || ',')`;
  const tables: Record<string, string> = {
    windows: `window + @by, opens_at, put_opens_at, put_closes_at, assignment_seed, beacon_secret, beacon_commit, state_root,
      judging, ${renumbered('record')}, ${renumbered('summary')}, put_opens_block, put_closes_block`,
    contributions: `window + @by, hotkey, sha256, bytes, arrived_at, pages_trained, session_key, ${renumbered('receipt')}`,
    verdicts: `null, hotkey, window + @by, refusal, ${renumbered('verdict')}`,
    history: `hotkey, window + @by, ${renumbered('point')}`,
    books: 'window + @by, sha256, bytes, signature',
  };
  const open = db.prepare('select * from windows where record is null').get() as { window: number };
  db.exec('begin');
  db.exec(`update windows set window = ${to + 1} where window = ${open.window}`);
  for (let have = from; have < to;) {
    const add = Math.min(have, to - have);
    for (const [table, columns] of Object.entries(tables)) {
      const rows = `select ${columns.replaceAll('@by', String(have))} from ${table} where window <= ${add}`;
      db.exec(`insert into ${table} ${rows}`);
    }
    have += add;
    report(`history: ${have.toLocaleString('en')} windows written`);
  }
  db.exec(`insert or ignore into checkpoints select w.window, c.state_root, c.chunks from windows w, checkpoints c
    where w.window % ${CHECKPOINT_WINDOWS} = 1 and c.window = 1`);
  db.exec('commit');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

/** By itself: the first write after somebody read everything through the same connection is slow, and no validator does that. */
async function verify(path: string, { folder }: CrowdRun, windows: number, time: Stopwatch['time']): Promise<void> {
  report(`history: verifying ${windows.toLocaleString('en')} windows`);
  const store = await openSqliteStore(path);
  const { digest, blobs, uploads } = folder;
  try {
    // All books, steps and contributions are the same few: what is left is the database's part.
    await time('verify, without blobs', () => verifyRun({ store, blobs, uploads, digest }));
  } finally {
    await store.close();
  }
}

async function measure({ path, crowd, like }: History, windows: number): Promise<HistoryFigures> {
  const { time, totals } = createStopwatch();
  await verify(path, crowd, windows, time);
  const store = await time('open the database', () => openSqliteStore(path));
  try {
    const open = await time('what a start reads', async () => {
      const opened = await store.openWindow();
      await store.checkpoint();
      await store.contributions(opened.window);
      return opened;
    });
    const views = createViews(crowd.context, store, { open: () => open, phase: () => 'train' });
    await time('first leaderboard', () => views.leaderboard());
    await time('leaderboard', () => views.leaderboard());
    await time('peer page', () => views.peer(hotkeyOf(7)));
    await time('oldest windows listed', () => views.windows(1, LISTED));
    await time('newest windows listed', () => views.windows(windows - LISTED + 1, LISTED));
    await time('a window', () => views.window(windows >> 1));
    const hotkeys = like.history.map(({ hotkey }) => hotkey);
    const rename = new Map(hotkeys.map((hotkey, i) => [hotkey, hotkeyOf(i)]));
    await time('a receipt recorded', () =>
      store.accept(
        rowOf(crowd.context.run, {
          ...like.record.contributions[0]!,
          window: open.window,
          hotkey: hotkeyOf(0),
        }),
      ),
    );
    await time('a window published', () => store.closeWindow(asWindow(like, open.window, rename)));
  } finally {
    await store.close();
  }
  return { windows, times: totals, database: (await stat(path)).size };
}

/** Takes the window out again that was measured with. */
function undo(path: string, windows: number): void {
  const db = new Database(path);
  db.pragma('busy_timeout = 10000');
  for (const table of ['windows', 'contributions', 'verdicts', 'history', 'books']) {
    db.exec(`delete from ${table} where window > ${table === 'windows' ? windows + 1 : windows}`);
  }
  db.exec(`update windows set record = null, summary = null where window = ${windows + 1}`);
  db.close();
}

const dir = await mkdtemp(join(tmpdir(), 'growth-'));
try {
  const history = await begin(dir);
  let have = WRITTEN;
  // The first time everything is slow, whatever it is asked.
  await measure(history, have);
  undo(history.path, have);
  for (const windows of process.argv.slice(2).map(Number)) {
    prolong(history.path, have, windows);
    have = windows;
    const figures = await measure(history, windows);
    undo(history.path, windows);
    if (process.send) process.send({ figures });
    else console.log(JSON.stringify(figures, null, 2));
  }
  await history.crowd.folder.close();
} finally {
  await rm(dir, { recursive: true, force: true });
}
