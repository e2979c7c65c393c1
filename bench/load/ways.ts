/**
 * What was made cheaper, each beside what it was before, in one process and one run: milliseconds of processor time, which
 * a busy machine changes little, and of the clock where a disk is waited for. Each way is run several times in turn with the
 * other; medians.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import Database from 'libsql';
import { Kysely, SqliteDialect } from 'kysely';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { memorySigner } from '../../core/identity/signing.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS, REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import type { ClockState, ValidatorEvent, WindowRecord } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { windowSummary } from '../../core/protocol/testing/window-summary.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import type { Tables } from '../../validator/adapters/database.ts';
import { groupCommits } from '../../validator/adapters/group-commit.ts';
import { keyFileSigner } from '../../validator/adapters/key-file.ts';
import { createSqlStore } from '../../validator/adapters/sql-store.ts';
import { createEventStreams, type EventStreams, type EventStreamOptions } from '../../validator/http/event-stream.ts';
import { createKeptAnswers } from '../../validator/http/kept-answers.ts';
import type { ContributionRow, OpenWindow, RunStore, WindowClose } from '../../validator/rounds/store.ts';
import { createViews } from '../../validator/rounds/views.ts';
import { median } from '../measure.ts';
import { firstEventStreams, firstRows } from './first-version.ts';
import type { WayFigures } from './report.ts';

const HASH = 'ab'.repeat(32);
const PEERS = 1_250;
const DELIVERING = 250;
const FRESH = freshFigures(REFERENCE_GAUNTLET);

interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1_000, wallMs: performance.now() - begun };
}

async function compare(
  what: string,
  unit: keyof Cost,
  before: () => Promise<unknown>,
  after: () => Promise<unknown>,
  repeat = 3,
): Promise<WayFigures> {
  const costs = { before: [] as number[], after: [] as number[] };
  for (let i = 0; i <= repeat; i++) {
    const first = (await costOf(before))[unit];
    const then = (await costOf(after))[unit];
    // What is compiled and allocated once is nobody's.
    if (i === 0) continue;
    costs.before.push(first);
    costs.after.push(then);
  }
  const [beforeMs, afterMs] = [median(costs.before), median(costs.after)];
  return { what, unit: unit === 'cpuMs' ? 'processor' : 'clock', beforeMs, afterMs, ratio: beforeMs / afterMs };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The four events of a window's end, to so many streams that are read as a server's socket reads them. */
async function fanOut(
  create: (options: EventStreamOptions) => EventStreams,
  clients: number,
): Promise<() => Promise<void>> {
  const clock: ClockState = {
    run: '00'.repeat(16),
    window: 5,
    phase: 'train',
    opensAt: '2026-01-01T00:00:00.000Z',
    putOpensAt: '2026-01-01T00:00:45.000Z',
    putClosesAt: '2026-01-01T00:01:00.000Z',
    serverTime: '2026-01-01T00:00:00.000Z',
    assignmentSeed: HASH,
    stateRoot: HASH,
    blocks: null,
  };
  const events: readonly ValidatorEvent[] = [
    { type: 'clock', clock: { ...clock, phase: 'publish' } },
    { type: 'window', window: windowSummary(4) },
    { type: 'leaderboard', window: 4 },
    { type: 'clock', clock },
  ];
  const listeners = new Set<(event: ValidatorEvent) => void>();
  const streams = create({
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    greeting: () => events[3]!,
    maxClients: clients,
    maxOfAddress: clients,
    heartbeatMs: 3_600_000,
  });
  const ends = '"phase":"train"';
  const decoder = new TextDecoder();
  const seen = new Uint32Array(clients);
  let done = 0;
  for (let i = 0; i < clients; i++) {
    const reader = streams.open().body!.getReader();
    const read = ({ value, done: over }: ReadableStreamReadResult<Uint8Array>): void => {
      if (over) return;
      // As a socket would, each piece is looked at once; the last event says that all have come.
      if (decoder.decode(value).includes(ends)) {
        seen[i]!++;
        done++;
      }
      void reader.read().then(read);
    };
    void reader.read().then(read);
  }
  while (done < clients) await turn();
  return async () => {
    done = 0;
    for (const event of events) for (const listener of [...listeners]) listener(event);
    while (done < clients) await new Promise((resolve) => setTimeout(resolve, 1));
  };
}

const openWindow: OpenWindow = {
  window: 1,
  opensAt: 1,
  putOpensAt: 2,
  putClosesAt: 3,
  blocks: null,
  assignmentSeed: HASH,
  beaconSecret: HASH,
  beaconCommit: HASH,
  stateRoot: HASH,
  judging: false,
};

const hotkeyOf = (i: number): string => `5${String(i).padStart(47, '0')}`;

const verdicts = Array.from({ length: 8 * DELIVERING }, (_, i) => ({
  hotkey: hotkeyOf(i >> 3),
  verdict: {
    window: 1,
    check: 'model' as const,
    pass: true,
    reason: 'It was trained from the parameters that this window trains from.',
    value: null,
    threshold: null,
  },
}));

const historyOf = (window: number): WindowClose['history'] =>
  Array.from({ length: DELIVERING }, (_, i) => ({
    hotkey: hotkeyOf(i),
    point: {
      window,
      rating: { mu: 25.123456789, sigma: 8.3333333, ordinal: 0.0123456789 },
      poc: 0.123456789,
      sync: 4.987654321,
      peerScore: 1.23456789 + i / 1_000,
      weight: 0.00123456789,
      rank: i + 1,
      aggregated: i < 15,
      lossScore: null,
    },
  }));

function openDatabase(path: string): Kysely<Tables> {
  const database = new Database(path);
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) database.pragma(pragma);
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: () => Promise.resolve(database) }) });
}

async function fill(store: RunStore): Promise<void> {
  const signed = { run: '00'.repeat(16), signature: 'cd'.repeat(64), manifest: {} } as unknown as SignedManifest;
  await store.createRun(signed, { window: 1, stateRoot: HASH, chunks: [] }, openWindow);
  for (let i = 0; i < PEERS; i++) await joinOne(store, hotkeyOf(i));
}

const joinOne = (store: RunStore, hotkey: string): Promise<unknown> =>
  store.join(
    {
      run: '00'.repeat(16),
      hotkey,
      sessionKey: HASH,
      scopes: ['contribute'],
      issuedAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2026-02-01T00:00:00.000Z',
    },
    { firstWindow: 1, figures: FRESH, replaces: null, maxPeers: 1_000_000, guest: true, origin: null, bounds: null },
  );

const contributionOf = (hotkey: string): ContributionRow => ({
  window: 1,
  hotkey,
  sha256: HASH,
  bytes: 206_000,
  arrivedAt: '2026-01-01T00:00:01.500Z',
  pagesTrained: 64,
  sessionKey: HASH,
  receipt: {
    receipt: {
      run: '00'.repeat(16),
      window: 1,
      hotkey,
      sha256: HASH,
      bytes: 206_000,
      arrivedAt: '2026-01-01T00:00:01.500Z',
    },
    signature: 'ef'.repeat(64),
  },
});

/** @param clients of the event streams */
export async function compareWays(clients: number, say: (text: string) => void): Promise<WayFigures[]> {
  const dir = await mkdtemp(join(tmpdir(), 'gauntlet-ways-'));
  const results: WayFigures[] = [];
  async function add(figures: Promise<WayFigures>): Promise<void> {
    const one = await figures;
    say(
      `${one.what}: ${one.beforeMs.toFixed(2)} ms before, ${one.afterMs.toFixed(2)} ms now (${one.ratio.toFixed(1)}x)`,
    );
    results.push(one);
  }
  try {
    await add(
      compare(
        `a window’s end told to ${clients.toLocaleString('en')} streams, without their sockets`,
        'cpuMs',
        await fanOut(firstEventStreams, clients),
        await fanOut(createEventStreams, clients),
      ),
    );

    const secret = new Uint8Array(randomBytes(32));
    await writeFile(join(dir, 'key'), secret);
    const [noble, node] = [memorySigner(secret), await keyFileSigner(join(dir, 'key'))];
    const message = new Uint8Array(300);
    const many = async (work: () => unknown): Promise<void> => {
      for (let i = 0; i < DELIVERING; i++) await work();
    };
    await add(
      compare(
        `${DELIVERING} receipts signed`,
        'cpuMs',
        () => many(() => noble.sign(message)),
        () => many(() => node.sign(message)),
      ),
    );
    const bytes = new Uint8Array(
      randomBytes(createScheme(PRESETS.mini.scheme, parameterLayout(PRESETS.mini.model)).bodyBytes),
    );
    await add(
      compare(
        `${DELIVERING} uploads hashed`,
        'cpuMs',
        () => many(() => sha256(bytes)),
        () => many(() => createHash('sha256').update(bytes).digest()),
      ),
    );

    // The second store is the same database: only how it commits differs.
    const db = openDatabase(join(dir, 'run.sqlite'));
    const single = await createSqlStore(db);
    const grouped = await createSqlStore(db, { transact: groupCommits(db) });
    await fill(grouped);
    const accept = (store: RunStore) => async (): Promise<void> => {
      await db.deleteFrom('contributions').execute();
      // As requests do: each by itself, and none waits for another.
      await Promise.all(
        Array.from({ length: DELIVERING }, async (_, i) => {
          await turn();
          await store.accept(contributionOf(hotkeyOf(i)));
        }),
      );
    };
    await add(
      compare(`${DELIVERING} receipts recorded at once, synced to the disk`, 'wallMs', accept(single), accept(grouped)),
    );

    let next = PEERS;
    const join20 = (store: RunStore, looks: boolean) => async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        if (looks) await store.peers();
        await joinOne(store, hotkeyOf(next++));
      }
    };
    await add(
      compare(
        `20 guests joining ${PEERS.toLocaleString('en')} peers`,
        'cpuMs',
        join20(single, true),
        join20(grouped, false),
      ),
    );

    let window = 1;
    const rows =
      (write: (rows: Pick<WindowClose, 'verdicts' | 'history'>) => Promise<void>) => async (): Promise<void> =>
        write({
          verdicts: verdicts.map(({ hotkey, verdict }) => ({ hotkey, verdict: { ...verdict, window } })),
          history: historyOf(window++),
        });
    const close = ({ verdicts: found, history }: Pick<WindowClose, 'verdicts' | 'history'>): Promise<void> =>
      single.closeWindow({
        record: { window: history[0]!.point.window } as WindowRecord,
        summary: windowSummary(history[0]!.point.window, { outerStep: { sha256: HASH, bytes: 1 }, stateRoot: HASH }),
        verdicts: found,
        history,
        peers: [],
        checkpoint: null,
        book: { ref: { sha256: HASH, bytes: 1 }, signature: 'cd'.repeat(64) },
        next: { ...openWindow, window: history[0]!.point.window + 1 },
        forgetTicketsBefore: 0,
      });
    const firstClose = async (given: Pick<WindowClose, 'verdicts' | 'history'>): Promise<void> => {
      await firstRows(db, given);
      await close({ verdicts: [], history: [{ ...given.history[0]!, hotkey: hotkeyOf(PEERS - 1) }] });
    };
    await add(
      compare(`a window of ${DELIVERING} contributions closed in the record`, 'cpuMs', rows(firstClose), rows(close)),
    );

    const open = { ...openWindow, window };
    const views = createViews(
      {
        run: '00'.repeat(16),
        manifest: { gauntlet: REFERENCE_GAUNTLET } as never,
        scheme: { learningRate: () => 1 } as never,
      },
      single,
      { open: () => open, phase: () => 'train' },
    );
    const answers = createKeptAnswers(() => open.window);
    const request = new Request('http://localhost/v1/leaderboard', { headers: { 'accept-encoding': 'gzip' } });
    await add(
      compare(
        `100 readings of a leaderboard of ${PEERS.toLocaleString('en')}`,
        'cpuMs',
        async () => {
          for (let i = 0; i < 100; i++) await Response.json(await views.leaderboard()).arrayBuffer();
        },
        async () => {
          for (let i = 0; i < 100; i++)
            await (await answers.respond(request, 'leaderboard', () => views.leaderboard())).arrayBuffer();
        },
        2,
      ),
    );
    await db.destroy();
    return results;
  } finally {
    await rm(dir, { recursive: true });
  }
}
