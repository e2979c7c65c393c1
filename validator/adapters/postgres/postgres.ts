/** PostgreSQL as the run's database: the store, the lease of whoever drives the windows, and news between processes. */
import { randomUUID } from 'node:crypto';
import { PostgresDialect, Kysely } from 'kysely';
import pg from 'pg';
import type { Log } from '../../rounds/ports.ts';
import type { RunStore } from '../../rounds/store.ts';
import type { SharedRun } from '../../rounds/succession.ts';
import type { Tables } from '../database.ts';
import { createSqlStore } from '../sql-store.ts';
import { openChannel } from './channel.ts';
import { openJobQueue, serveJobs, type EvaluatorDuty, type JobConnection, type JobQueue } from './evaluation-jobs.ts';
import { assertHolds, createLease } from './lease.ts';
import { newsOver } from './news.ts';

/** Of one process: requests are short, and a server has a hundred for all. */
const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

export interface PostgresRun extends SharedRun {
  /** What drives windows through it fails unless this process has the lease. */
  readonly store: RunStore;
  readonly db: Kysely<Tables>;
  /** For the judge, whose losses evaluators measure. Closed before this. */
  openJobs(): Promise<JobQueue>;
  /** For an evaluator. @returns stops it, before this is closed */
  serveJobs(duty: EvaluatorDuty): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** @param url postgres://user:password@host/database. @throws Error when it does not answer, or is of a newer version */
export async function openPostgres(url: string, log: Log): Promise<PostgresRun> {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    // Without it a commit is answered before the disk has it, where the server's default says so.
    options: '-c synchronous_commit=on',
  });
  // An idle connection that is cut is replaced when it is needed; unheard, it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'a connection to the database was cut'));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const holder = randomUUID();
  try {
    const store = await createSqlStore(db, { assertLeader: (transaction) => assertHolds(transaction, holder) });
    const lease = createLease(db, holder);
    const news = await openChannel(url, pool, 'gauntlet_news', log);
    const jobConnection = async (): Promise<JobConnection> => ({
      pool,
      db,
      channel: await openChannel(url, pool, 'gauntlet_jobs', log),
    });
    return {
      store,
      lease,
      news: newsOver(news),
      db,
      openJobs: async () => openJobQueue(await jobConnection(), log),
      serveJobs: async (duty) => serveJobs(await jobConnection(), duty),
      async close() {
        await news.close();
        await db.destroy();
      },
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
