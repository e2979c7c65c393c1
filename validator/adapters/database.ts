/** The tables of the run store, and the steps that make them. Written so that SQLite and PostgreSQL both take them. */
import { PostgresAdapter, sql, type ColumnType, type Generated, type Kysely } from 'kysely';
import type { Verdict, WindowRecord } from '../../core/protocol/api.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import { summaryOf } from '../rounds/summary.ts';

/** Milliseconds and sizes: PostgreSQL's driver reads them as text. */
type BigInteger = ColumnType<number | string, number, number>;

/** JSON columns are text, so that one dialect-free schema serves; instants are ISO 8601 text or milliseconds. */
export interface Tables {
  migrations: { version: number; applied_at: string };
  run: { id: number; signed: string };
  windows: {
    window: number;
    opens_at: BigInteger;
    put_opens_at: BigInteger;
    put_closes_at: BigInteger;
    put_opens_block: number | null;
    put_closes_block: number | null;
    assignment_seed: string;
    beacon_secret: string;
    beacon_commit: string;
    state_root: string;
    judging: number;
    /** Null while the window is open. */
    record: string | null;
    summary: string | null;
  };
  peers: {
    hotkey: string;
    /** Negative of a peer that was: another took over its uid, and what is on record of it needs the row. */
    uid: number;
    first_window: number;
    session_key: string;
    issued_at: string;
    expires_at: string;
    /** Delegations issued until then are void. */
    revoked_at: string | null;
    accepted: number;
    rejected: number;
    evaluated: number;
    aggregated: number;
    figures: string;
  };
  contributions: {
    window: number;
    hotkey: string;
    sha256: string;
    bytes: BigInteger;
    arrived_at: string;
    pages_trained: number;
    session_key: string;
    receipt: string;
  };
  verdicts: { id: Generated<number>; hotkey: string; window: number; refusal: number; verdict: string };
  history: { hotkey: string; window: number; point: string };
  checkpoints: { window: number; state_root: string; chunks: string };
  chain_records: { hotkey: string; block: number; record: string };
  samples: { window: number; sample: string };
  books: { window: number; sha256: string; bytes: BigInteger; signature: string };
  tickets: { id: string; window: number; hotkey: string; sha256: string; bytes: BigInteger; session_key: string };
  /** Who drives the windows, and until when by the database's clock. PostgreSQL only, as the next. */
  leases: { name: string; holder: string; until: BigInteger };
  evaluators: { id: string; description: string; lanes: number; seen: BigInteger };
}

/** What the two dialects say differently. */
export const isPostgres = (db: Kysely<Tables>): boolean => db.getExecutor().adapter instanceof PostgresAdapter;

/** Held by whoever migrates a PostgreSQL database: any number of our own. */
const MIGRATION_LOCK = 0x6761756e;

const MIGRATIONS: readonly ((db: Kysely<Tables>) => Promise<void>)[] = [
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
];

async function schemaVersion(db: Kysely<Tables>): Promise<number> {
  await sql`create table if not exists migrations (version integer primary key, applied_at text not null)`.execute(db);
  const newest = await db
    .selectFrom('migrations')
    .select((eb) => eb.fn.max<number | null>('version').as('version'))
    .executeTakeFirst();
  return newest?.version ?? 0;
}

/**
 * Brings the schema up to date, all of it or nothing.
 *
 * @throws Error when the database was written by a newer version
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Processes that start together would otherwise both find a step missing.
    if (isPostgres(db)) await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    const version = await schemaVersion(transaction);
    if (version > MIGRATIONS.length) {
      throw new Error(`the database is of a newer version (${version}) than this program (${MIGRATIONS.length})`);
    }
    for (const [i, step] of MIGRATIONS.entries()) {
      if (i < version) continue;
      await step(transaction);
      await transaction
        .insertInto('migrations')
        .values({ version: i + 1, applied_at: new Date().toISOString() })
        .execute();
    }
  });
}
