import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { Kysely, PostgresDialect, sql, SqliteDialect } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tables } from './database.ts';
import { beat, copes, DatabaseVersionError, leave, migrate } from './migrate.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import { createPool } from './postgres/postgres.ts';
import { findPostgres, startPostgres, type PostgresServer } from './testing/servers.ts';
import { silentLog } from './testing/test-run.ts';

/** What the next version adds, and the one after it takes away when nobody is left who looks at it. */
const expand: Migration = async (db) => {
  await db.schema.alterTable('contributions').addColumn('note', 'text').execute();
};
const expanded = [...MIGRATIONS, expand];
const contract: Migration = Object.assign(
  async (db: Kysely<Tables>) => {
    await db.schema.alterTable('contributions').dropColumn('note').execute();
  },
  { needs: expanded.length },
);
const contracted = [...expanded, contract];
const steps = { present: MIGRATIONS, expanded, contracted };

const hasNote = async (db: Kysely<Tables>): Promise<boolean> =>
  (await db.introspection.getTables())
    .find(({ name }) => name === 'contributions')!
    .columns.some(({ name }) => name === 'note');

describe('SQLite', () => {
  let folder: string;
  let db: Kysely<Tables>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'migrate-'));
    const database = new Database(join(folder, 'run.sqlite'));
    db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: () => Promise.resolve(database) }) });
  });
  afterEach(async () => {
    await db.destroy();
    await rm(folder, { recursive: true });
  });

  it('is brought up to date, and a program of the version before goes on with what was only added to', async () => {
    await migrate(db);
    await migrate(db, { steps: expanded });
    expect(await hasNote(db)).toBe(true);
    await migrate(db);
    expect(await copes(db)).toBe(true);
  });

  it('refuses a program that uses what is gone, with a sentence, and changes nothing', async () => {
    await migrate(db, { steps: contracted, alone: true });
    const before = await db.selectFrom('migrations').selectAll().execute();
    await expect(migrate(db)).rejects.toThrow(
      `the database is of a newer version (${contracted.length}) than this program can work on (${MIGRATIONS.length})`,
    );
    expect(await db.selectFrom('migrations').selectAll().execute()).toEqual(before);
    expect(await copes(db)).toBe(false);
    await migrate(db, { steps: expanded });
  });

  it('takes nothing away while another program may have the file open', async () => {
    await migrate(db, { steps: expanded });
    await expect(migrate(db, { steps: contracted })).rejects.toThrow(DatabaseVersionError);
    expect(await hasNote(db)).toBe(true);
    await migrate(db, { steps: contracted, alone: true });
    expect(await hasNote(db)).toBe(false);
  });

  it('of before steps said what they need is brought up to date', async () => {
    await migrate(db, { steps: MIGRATIONS.slice(0, 12) });
    await migrate(db, { steps: expanded });
    expect(await copes(db)).toBe(true);
  });
});

if (!findPostgres()) console.log('skipped: no PostgreSQL is installed (Debian: postgresql)');

describe.skipIf(!findPostgres())('PostgreSQL', () => {
  let server: PostgresServer;
  let databases = 0;
  let db: Kysely<Tables>;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    const url = await server.database(`migrate${databases++}`);
    db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPool(url, silentLog) }) });
  });
  afterEach(() => db.destroy());

  const arrive = async (version: keyof typeof steps): Promise<string> => {
    const process = randomUUID();
    await migrate(db, { steps: steps[version], process });
    return process;
  };

  it('takes nothing away while a process is there that uses it, and goes on when that one left', async () => {
    const old = await arrive('present');
    await arrive('expanded');
    await expect(arrive('contracted')).rejects.toThrow('1 of the processes at this run is of a version that cannot');
    expect(await hasNote(db)).toBe(true);
    await beat(db, old);
    await expect(arrive('contracted')).rejects.toThrow(DatabaseVersionError);
    await leave(db, old);
    await arrive('contracted');
    expect(await hasNote(db)).toBe(false);
    await expect(arrive('present')).rejects.toThrow(/newer version/);
    expect([await copes(db), await copes(db, expanded)]).toEqual([false, true]);
  });

  it('waits for nobody who was killed, and knows one that was held up when it is back', async () => {
    const killed = await arrive('present');
    await db
      .updateTable('processes')
      .set({ seen: sql<number>`seen - 11000` })
      .where('id', '=', killed)
      .execute();
    await arrive('contracted');
    expect(await copes(db)).toBe(false);
  });

  it('is changed by one of those that start together, and a late older one is refused', async () => {
    const arrivals = await Promise.allSettled([
      arrive('contracted'),
      arrive('present'),
      arrive('contracted'),
      arrive('present'),
    ]);
    const there = await db.selectFrom('processes').select('schema').execute();
    expect(there).toHaveLength(arrivals.filter(({ status }) => status === 'fulfilled').length);
    // Whoever came first: never both kinds.
    expect(new Set(there.map(({ schema }) => schema)).size).toBe(1);
  });
});
