/** PostgreSQL as the run's database: the store, the lease of whoever drives the windows, and news between processes. */
import { randomUUID } from 'node:crypto';
import { PostgresDialect, Kysely } from 'kysely';
import pg from 'pg';
import type { Log } from '../../rounds/ports.ts';
import type { RunStore } from '../../rounds/store.ts';
import type { SharedRun } from '../../rounds/succession.ts';
import type { Tables } from '../database.ts';
import { beat, BEAT_MS, copes, leave } from '../migrate.ts';
import { createSqlStore } from '../sql-store.ts';
import { openChannel } from './channel.ts';
import { openJobQueue, serveJobs, type EvaluatorDuty, type JobConnection, type JobQueue } from './evaluation-jobs.ts';
import { assertHolds, createLease } from './lease.ts';
import { newsOver } from './news.ts';
import { createSharedRates, type SharedRates } from './shared-rates.ts';
import { DatabaseUnansweredError } from './unanswered.ts';

/** Of one process: requests are short, and a server has a hundred for all. */
const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

export interface PostgresRun extends SharedRun {
  /** What drives windows through it fails unless this process has the lease. */
  readonly store: RunStore;
  readonly db: Kysely<Tables>;
  readonly rates: SharedRates;
  /** For the judge, whose losses evaluators measure. Closed before this. */
  openJobs(): Promise<JobQueue>;
  /** For an evaluator. @returns stops it, before this is closed */
  serveJobs(duty: EvaluatorDuty): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Connections that are made when they are needed. */
export function createPool(url: string, log: Log): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    // Without it a commit is answered before the disk has it, where the server's default says so.
    options: '-c synchronous_commit=on',
  });
  // One that is cut is replaced when it is needed. Unheard, it would end the process: the pool listens to idle ones alone.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a connection to the database was cut')),
  );
  pool.on('error', () => undefined);
  return pool;
}

/** @throws DatabaseUnansweredError */
async function reach(pool: pg.Pool): Promise<void> {
  try {
    await pool.query('select 1');
  } catch (error) {
    throw new DatabaseUnansweredError(error);
  }
}

/** @param url postgres://user:password@host/database. @throws DatabaseUnansweredError, DatabaseVersionError when it is of another version */
export async function openPostgres(url: string, log: Log): Promise<PostgresRun> {
  const pool = createPool(url, log);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const holder = randomUUID();
  let beating: NodeJS.Timeout | undefined;
  try {
    await reach(pool);
    const store = await createSqlStore(db, {
      process: holder,
      assertLeader: (transaction) => assertHolds(transaction, holder),
    });
    const lease = createLease(db, holder);
    beating = setInterval(() => {
      beat(db, holder).catch((error: unknown) =>
        log.warn({ err: error }, 'the database could not be told of this process'),
      );
    }, BEAT_MS);
    const news = await openChannel(url, pool, 'gauntlet_news', log);
    const rates = createSharedRates(db, log);
    const jobConnection = async (): Promise<JobConnection> => ({
      pool,
      db,
      channel: await openChannel(url, pool, 'gauntlet_jobs', log),
    });
    return {
      store,
      lease: {
        ...lease,
        // One that was held up while a newer one changed the database must not drive windows on it.
        take: async () => (await copes(db)) && lease.take(),
      },
      news: newsOver(news),
      db,
      rates,
      openJobs: async () => openJobQueue(await jobConnection(), log),
      serveJobs: async (duty) => serveJobs(await jobConnection(), duty),
      async close() {
        rates.close();
        clearInterval(beating);
        await leave(db, holder).catch(() => undefined);
        await news.close();
        await db.destroy();
      },
    };
  } catch (error) {
    clearInterval(beating);
    await db.destroy();
    throw error;
  }
}
