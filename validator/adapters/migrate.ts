/** Brings a database up to date, and keeps programs apart that cannot work on the same one. */
import { sql, type Kysely } from 'kysely';
import { isPostgres, type Tables } from './database.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** Held by whoever migrates a PostgreSQL database: any number of our own. */
const MIGRATION_LOCK = 0x6761756e;
/** The step from which on the others say what they need. */
const NEEDS_SINCE = 13;
/** A process says so often that it is there, and is taken to be gone when it has not for so long. */
export const BEAT_MS = 2_000;
const GONE_MS = 10_000;
const FORGOTTEN_MS = 60_000;

/** Programs of two versions cannot work on this database at the same time, or this one cannot at all. */
export class DatabaseVersionError extends Error {
  override readonly name = 'DatabaseVersionError';
}

export interface MigrateOptions {
  readonly steps?: readonly Migration[];
  /** Of this process, unique: it is among those that are at a PostgreSQL database from now on. */
  readonly process?: string;
  /** No other process can be at the database: it is a file, in a folder that this one has to itself. */
  readonly alone?: boolean;
}

const now = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** @param known steps that this program knows. @returns how many the unknown ones need it to know */
async function needsOf(db: Kysely<Tables>, known: number): Promise<number> {
  const { needs } = await db
    .selectFrom('migrations')
    .select((eb) => eb.fn.max<number | null>('needs').as('needs'))
    .where('version', '>', known)
    .executeTakeFirstOrThrow();
  return needs ?? 0;
}

async function schemaVersion(db: Kysely<Tables>): Promise<number> {
  await sql`create table if not exists migrations (version integer primary key, applied_at text not null)`.execute(db);
  const newest = await db
    .selectFrom('migrations')
    .select((eb) => eb.fn.max<number | null>('version').as('version'))
    .executeTakeFirst();
  return newest?.version ?? 0;
}

/** @throws DatabaseVersionError while a program may be at the database that knows fewer steps than are needed */
async function assertNoOlder(db: Kysely<Tables>, needs: number, alone: boolean): Promise<void> {
  if (alone) return;
  if (!isPostgres(db)) {
    throw new DatabaseVersionError(
      'the database is of an older version: start a validator of this version on it once, or read it with the older one',
    );
  }
  const older = await db
    .selectFrom('processes')
    .select('id')
    .where('schema', '<', needs)
    .where('seen', '>', sql<number>`${now} - ${GONE_MS}`)
    .execute();
  if (older.length === 0) return;
  throw new DatabaseVersionError(
    `${older.length} of the processes at this run ${older.length === 1 ? 'is' : 'are'} of a version that cannot work on the database of this one: stop all that are older, then start this one again`,
  );
}

/**
 * Brings the schema up to date, all of it or nothing.
 *
 * @throws DatabaseVersionError when this program is too old for the database, or another one would be afterwards
 */
export async function migrate(
  db: Kysely<Tables>,
  { steps = MIGRATIONS, process, alone = false }: MigrateOptions = {},
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Processes that start together would otherwise both find a step missing.
    if (isPostgres(db)) await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    const version = await schemaVersion(transaction);
    const needs = version < NEEDS_SINCE ? 0 : await needsOf(transaction, steps.length);
    if (needs > steps.length) {
      throw new DatabaseVersionError(
        `the database is of a newer version (${version}) than this program can work on (${steps.length}): use the newer program, or a backup from before the upgrade`,
      );
    }
    for (const [i, step] of steps.entries()) {
      if (i < version) continue;
      if (step.needs !== undefined) await assertNoOlder(transaction, step.needs, alone);
      await step(transaction);
      const applied = { version: i + 1, applied_at: new Date().toISOString() };
      await transaction
        .insertInto('migrations')
        .values(i + 1 < NEEDS_SINCE ? applied : { ...applied, needs: step.needs ?? 0 })
        .execute();
    }
    if (process !== undefined && isPostgres(db)) await beat(transaction, process, steps);
  });
}

/** Whether this program can still work on the database: a newer one may have changed it. */
export async function copes(db: Kysely<Tables>, steps: readonly Migration[] = MIGRATIONS): Promise<boolean> {
  return (await needsOf(db, steps.length)) <= steps.length;
}

/** Says that a process is at the PostgreSQL database, and forgets those that have long gone. */
export async function beat(
  db: Kysely<Tables>,
  process: string,
  steps: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const row = { id: process, schema: steps.length, seen: now };
  await db
    .insertInto('processes')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
  await db
    .deleteFrom('processes')
    .where('seen', '<', sql<number>`${now} - ${FORGOTTEN_MS}`)
    .execute();
}

export async function leave(db: Kysely<Tables>, process: string): Promise<void> {
  await db.deleteFrom('processes').where('id', '=', process).execute();
}
