/**
 * The steps that make the tables, each of them once and for good. During an upgrade programs of the version before are at
 * the same database, and an upgrade may have to be taken back: so a step only adds what older programs do not look at (a
 * table, an index, a column that may be left out), and what is replaced is taken away by a later version's step, which
 * says what it `needs`.
 */
import { sql, type Kysely } from 'kysely';
import type { Verdict, WindowRecord } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { summaryOf } from '../rounds/summary.ts';
import { isPostgres, type Tables } from './database.ts';

/** `needs`: how many of these steps a program has to know to go on after this one; it waits until none that knows fewer is there. */
export type Migration = ((db: Kysely<Tables>) => Promise<void>) & { readonly needs?: number };

export const MIGRATIONS: readonly Migration[] = [
  async (db) => {
    await db.schema
      .createTable('run')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('signed', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('windows')
      .addColumn('window', 'integer', (column) => column.primaryKey())
      .addColumn('opens_at', 'bigint', (column) => column.notNull())
      .addColumn('put_opens_at', 'bigint', (column) => column.notNull())
      .addColumn('put_closes_at', 'bigint', (column) => column.notNull())
      .addColumn('assignment_seed', 'text', (column) => column.notNull())
      .addColumn('beacon_secret', 'text', (column) => column.notNull())
      .addColumn('beacon_commit', 'text', (column) => column.notNull())
      .addColumn('state_root', 'text', (column) => column.notNull())
      .addColumn('judging', 'integer', (column) => column.notNull())
      .addColumn('record', 'text')
      .addColumn('summary', 'text')
      .execute();
    await db.schema
      .createTable('peers')
      .addColumn('hotkey', 'text', (column) => column.primaryKey())
      .addColumn('uid', 'integer', (column) => column.notNull().unique())
      .addColumn('first_window', 'integer', (column) => column.notNull())
      .addColumn('session_key', 'text', (column) => column.notNull())
      .addColumn('issued_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addColumn('accepted', 'integer', (column) => column.notNull())
      .addColumn('rejected', 'integer', (column) => column.notNull())
      .addColumn('evaluated', 'integer', (column) => column.notNull())
      .addColumn('aggregated', 'integer', (column) => column.notNull())
      .addColumn('figures', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('contributions')
      .addColumn('window', 'integer', (column) => column.notNull())
      .addColumn('hotkey', 'text', (column) => column.notNull().references('peers.hotkey'))
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('arrived_at', 'text', (column) => column.notNull())
      .addColumn('pages_trained', 'integer', (column) => column.notNull())
      .addColumn('session_key', 'text', (column) => column.notNull())
      .addColumn('receipt', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('contributions_key', ['hotkey', 'window'])
      .execute();
    await db.schema.createIndex('contributions_window').on('contributions').column('window').execute();
    await db.schema
      .createTable('verdicts')
      .addColumn('id', isPostgres(db) ? 'bigserial' : 'integer', (column) =>
        isPostgres(db) ? column.primaryKey() : column.primaryKey().autoIncrement(),
      )
      .addColumn('hotkey', 'text', (column) => column.notNull().references('peers.hotkey'))
      .addColumn('window', 'integer', (column) => column.notNull())
      .addColumn('refusal', 'integer', (column) => column.notNull())
      .addColumn('verdict', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('verdicts_hotkey').on('verdicts').columns(['hotkey', 'window']).execute();
    await db.schema
      .createTable('history')
      .addColumn('hotkey', 'text', (column) => column.notNull().references('peers.hotkey'))
      .addColumn('window', 'integer', (column) => column.notNull())
      .addColumn('point', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('history_key', ['hotkey', 'window'])
      .execute();
    await db.schema
      .createTable('checkpoints')
      .addColumn('window', 'integer', (column) => column.primaryKey())
      .addColumn('state_root', 'text', (column) => column.notNull())
      .addColumn('chunks', 'text', (column) => column.notNull())
      .execute();
  },
  // Runs from before conduct was kept: nothing is known against anybody.
  async (db) => {
    const conduct = { deliveries: '', missesInRow: 0, evaluations: '', negativesInRow: 0, naughtyUntil: 0 };
    for (const { hotkey, figures } of await db.selectFrom('peers').select(['hotkey', 'figures']).execute()) {
      const withConduct = { ...(JSON.parse(figures) as object), conduct };
      await db
        .updateTable('peers')
        .set({ figures: JSON.stringify(withConduct) })
        .where('hotkey', '=', hotkey)
        .execute();
    }
  },
  // Windows published before have no book.
  async (db) => {
    await db.schema
      .createTable('books')
      .addColumn('window', 'integer', (column) => column.primaryKey())
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('signature', 'text', (column) => column.notNull())
      .execute();
  },
  async (db) => {
    await db.schema.alterTable('peers').addColumn('revoked_at', 'text').execute();
  },
  async (db) => {
    await db.schema.alterTable('windows').addColumn('put_opens_block', 'integer').execute();
    await db.schema.alterTable('windows').addColumn('put_closes_block', 'integer').execute();
    await db.schema
      .createTable('chain_records')
      .addColumn('hotkey', 'text', (column) => column.notNull())
      .addColumn('block', 'integer', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('chain_records_key', ['hotkey', 'block'])
      .execute();
  },
  // Summaries said less before; how many uploads were refused was kept for no window as a whole.
  async (db) => {
    await sql`create index verdicts_refused on verdicts ("window") where refusal = 1`.execute(db);
    const run = await db.selectFrom('run').select('signed').executeTakeFirst();
    if (!run) return;
    const { manifest } = JSON.parse(run.signed) as SignedManifest;
    const published = db.selectFrom('windows').where('record', 'is not', null);
    for (const { window } of await published.select('window').execute()) {
      const row = await published.select('record').where('window', '=', window).executeTakeFirstOrThrow();
      const record = JSON.parse(row.record!) as WindowRecord;
      const verdicts = await db
        .selectFrom('verdicts')
        .select(['hotkey', 'verdict'])
        .where('hotkey', 'in', [...record.contributions.map(({ hotkey }) => hotkey), ''])
        .where('window', '=', window)
        .where('refusal', '=', 0)
        .execute();
      const judged = verdicts.map(({ hotkey, verdict }) => ({ hotkey, verdict: JSON.parse(verdict) as Verdict }));
      await db
        .updateTable('windows')
        .set({ summary: JSON.stringify(summaryOf(record, judged, null, manifest)) })
        .where('window', '=', window)
        .execute();
    }
  },
  // The leaderboard shows what a window made of everybody.
  async (db) => {
    await sql`create index if not exists history_window on history ("window")`.execute(db);
  },
  async (db) => {
    await db.schema
      .createTable('samples')
      .addColumn('window', 'integer', (column) => column.primaryKey())
      .addColumn('sample', 'text', (column) => column.notNull())
      .execute();
  },
  // Tickets outlive a process, and any process may take what they are for.
  async (db) => {
    await db.schema
      .createTable('tickets')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('window', 'integer', (column) => column.notNull())
      .addColumn('hotkey', 'text', (column) => column.notNull())
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('session_key', 'text', (column) => column.notNull())
      .addUniqueConstraint('tickets_peer', ['window', 'hotkey'])
      .execute();
  },
  // Where several processes share a database.
  async (db) => {
    if (!isPostgres(db)) return;
    await db.schema
      .createTable('leases')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('until', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('evaluators')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('lanes', 'integer', (column) => column.notNull())
      .addColumn('seen', 'bigint', (column) => column.notNull())
      .execute();
  },
  // Guests are bounded by where they come from, and callers across processes.
  async (db) => {
    await db.schema
      .alterTable('peers')
      .addColumn('guest', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema.alterTable('peers').addColumn('origin', 'text').execute();
    await sql`create index peers_origin on peers (origin) where origin is not null`.execute(db);
    await sql`create index peers_guests on peers (first_window) where guest = 1`.execute(db);
    if (!isPostgres(db)) return;
    await sql`create unlogged table rates (key text primary key, full_at double precision not null)`.execute(db);
  },
  // Long runs: the open window, and a row of summaries, are found without reading the records of all windows.
  async (db) => {
    await sql`create index if not exists windows_open on windows ("window") where record is null`.execute(db);
    // SQLite reads through a record, some hundred kilobytes of it, to what is stored behind; PostgreSQL does not.
    if (isPostgres(db)) return;
    await sql`create index if not exists windows_summary on windows ("window", summary) where summary is not null`.execute(
      db,
    );
  },
  // From here on programs of two versions may be at one database.
  async (db) => {
    await db.schema
      .alterTable('migrations')
      .addColumn('needs', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    if (!isPostgres(db)) return;
    await db.schema
      .createTable('processes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('schema', 'integer', (column) => column.notNull())
      .addColumn('seen', 'bigint', (column) => column.notNull())
      .execute();
  },
];

/** Of a database that is up to date. */
export const SCHEMA_VERSION = MIGRATIONS.length;
