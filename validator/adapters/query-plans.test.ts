/** What a store asks of a long run is found by an index: nothing it asks while windows go by reads a whole table. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { Kysely, SqliteDialect, type CompiledQuery } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { REFERENCE_GAUNTLET } from '../../core/model/presets.ts';
import type { Verdict, WindowRecord, WindowSummary } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import type { ContributionRow, OpenWindow, RunStore } from '../rounds/store.ts';
import type { Tables } from './database.ts';
import { createSqlStore } from './sql-store.ts';

/** Those that grow with the run; peers do not. */
const GROWING = ['windows', 'contributions', 'verdicts', 'history', 'books', 'tickets', 'checkpoints', 'samples'];
const HASH = 'ab'.repeat(32);
const figures = freshFigures(REFERENCE_GAUNTLET);
const verdict: Verdict = { window: 1, check: 'sync', pass: true, reason: '', value: null, threshold: null };

let dir: string;
let database: Database.Database;
let store: RunStore;
let asked: CompiledQuery[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plans-'));
  database = new Database(join(dir, 'run.sqlite'));
  const dialect = new SqliteDialect({ database: () => Promise.resolve(database) });
  asked = [];
  const db = new Kysely<Tables>({ dialect, log: (event) => void asked.push(event.query) });
  store = await createSqlStore(db);
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const windowOf = (window: number): OpenWindow => ({
  window,
  opensAt: 0,
  putOpensAt: 0,
  putClosesAt: 0,
  blocks: null,
  assignmentSeed: HASH,
  beaconSecret: HASH,
  beaconCommit: HASH,
  stateRoot: HASH,
  judging: false,
});

/** Everything that happens between one window and the next. */
async function liveThroughAWindow(): Promise<void> {
  const delegation = { run: '', hotkey: 'a', sessionKey: HASH, scopes: [], issuedAt: '2026', expiresAt: '2027' };
  const fresh = { firstWindow: 1, figures, replaces: null, maxPeers: 2, guest: true, origin: null, bounds: null };
  await store.join(delegation, fresh);
  await store.join({ ...delegation, hotkey: 'b' }, fresh);
  await store.join({ ...delegation, hotkey: 'c' }, { ...fresh, replaces: 'b' });
  const ticket = { id: 't', window: 1, hotkey: 'a', sha256: HASH, bytes: 1, sessionKey: HASH };
  await store.issueTicket(ticket);
  await store.ticket('t');
  const receipt = {} as ContributionRow['receipt'];
  await store.accept({ ...ticket, arrivedAt: '2026', pagesTrained: 1, receipt });
  await store.refuse('a', verdict, 10);
  await store.unusedTickets(1);
  await store.markJudging(1);
  await store.contributions(1);
  await store.refusals(1, 10);
  await store.closeWindow({
    record: { window: 1 } as WindowRecord,
    summary: { window: 1, stateRoot: HASH, outerStep: { sha256: HASH, bytes: 1 } } as WindowSummary,
    verdicts: [{ hotkey: 'a', verdict }],
    history: [],
    peers: [{ hotkey: 'a', figures, evaluated: true, aggregated: false }],
    checkpoint: null,
    book: { ref: { sha256: HASH, bytes: 1 }, signature: '' },
    next: windowOf(2),
    forgetTicketsBefore: 1,
  });
  await store.openWindow();
  await store.checkpoint();
  await store.record(1);
  await store.book(1);
  await store.summaries(1, 10);
  await store.windowHistory(1);
  for (const hotkey of ['a', 'b']) {
    await store.peer(hotkey);
    await store.verdicts(hotkey, 10);
    await store.history(hotkey, 10);
    await store.receipts(hotkey, 10);
  }
  await store.addSample({ window: 1, completions: [] });
  await store.samples(1);
}

it('reads no whole table while windows go by', async () => {
  const manifest = { run: '', signature: '', manifest: {} } as unknown as SignedManifest;
  await store.createRun(manifest, { window: 1, stateRoot: HASH, chunks: [] }, windowOf(1));
  asked.length = 0;
  await liveThroughAWindow();
  const plans = asked
    .filter(({ sql }) => /^\s*(with|select|update|delete|insert)/.test(sql))
    .map(({ sql, parameters }) => ({
      sql,
      steps: database.prepare(`explain query plan ${sql}`).all(...parameters) as { detail: string }[],
    }));
  expect(plans.length).toBeGreaterThan(40);
  const scans = plans.flatMap(({ sql, steps }) =>
    steps
      .filter(({ detail }) => {
        const [, table, index] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
        // The index of the open window has one entry; those in order that a limit ends are no scans of all either.
        const isBounded = index === 'windows_open' || / limit /.test(sql);
        return table !== undefined && GROWING.includes(table) && !isBounded;
      })
      .map(({ detail }) => `${detail}: ${sql}`),
  );
  expect(scans).toEqual([]);
  const ofList = plans.find(({ sql }) => /"summary" from "windows".* limit /.test(sql))!;
  expect(ofList.steps[0]!.detail).toContain('windows_summary');
});
