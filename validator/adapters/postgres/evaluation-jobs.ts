/** Measurements as jobs of a pg-boss queue: who asks for them, and who makes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import PgBoss from 'pg-boss';
import type pg from 'pg';
import * as z from 'zod';
import { RunIdSchema, Sha256Schema, PublicKeySchema } from '../../../core/protocol/primitives.ts';
import type { LossSum } from '../../../engine/engine.ts';
import type { Log } from '../../rounds/ports.ts';
import type { EvaluationJobs, LossJob } from '../../rounds/shared-judge-engine.ts';
import type { Tables } from '../database.ts';
import type { Channel } from './channel.ts';

const QUEUE = 'losses';
/** An evaluator says so often that it is there, and is taken to be gone when it has not for so long. */
const BEAT_MS = 2_000;
export const GONE_MS = 6_000;
/** Before a job counts as lost, for its evaluator may have died: θ may have to be fetched first, and some are slow. */
const LEAST_DEADLINE_MS = 15_000;
const DEADLINE_FACTOR = 8;
const MAX_DEADLINE_MS = 600_000;
/** News of an answer may be lost, and a queue is looked at now and then without news. */
const LOOK_MS = 1_000;
/** One that cannot make any, because its clock is wrong or its card is lost, must not take them all from those that can. */
const FIRST_REST_MS = 1_000;
const LAST_REST_MS = 60_000;
const KEPT_MINUTES = 5;
const MAX_PAGES = 10_000;
/** Held by whoever makes the queue: any number of our own. */
const START_LOCK = 0x6a6f6273;

const LossJobSchema = z.object({
  run: RunIdSchema,
  root: Sha256Schema,
  pages: z.array(Sha256Schema).max(MAX_PAGES),
  trial: z
    .object({
      contribution: Sha256Schema,
      sessionKey: PublicKeySchema,
      stepSize: z.number(),
      clipNorms: z.array(z.number()).nullable(),
    })
    .nullable(),
}) satisfies z.ZodType<LossJob>;

const AnswerSchema = z.object({
  losses: z.array(z.object({ sum: z.number(), count: z.int().nonnegative() })).max(MAX_PAGES),
});

/** Nobody made a measurement, or somebody could not. */
export class EvaluationJobError extends Error {
  override readonly name = 'EvaluationJobError';
}

/** How the queue stands, as the judge's end knows it. */
export interface JobFigures {
  /** That have said lately that they are there. */
  readonly evaluators: number;
  readonly lanes: number;
  /** Asked for and not answered yet. */
  readonly waiting: number;
  /** Since this process began. */
  readonly made: number;
  readonly failed: number;
}

export interface JobQueue extends EvaluationJobs {
  figures(): JobFigures;
  close(): Promise<void>;
}

export interface EvaluatorDuty {
  /** Of this process, unique. */
  readonly id: string;
  /** For an operator: machine and provider. */
  readonly description: string;
  /** Jobs made at once; `make` is told which of them it is. */
  readonly lanes: number;
  readonly make: (job: LossJob, lane: number) => Promise<LossSum[]>;
  readonly log: Log;
}

export interface JobConnection {
  readonly pool: pg.Pool;
  readonly db: Kysely<Tables>;
  /** For the news that there is a job, or an answer. Closed with what is opened over it. */
  readonly channel: Channel;
}

const now = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

async function openBoss(pool: pg.Pool, log: Log): Promise<PgBoss> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values as unknown[]) },
    schedule: false,
    deleteAfterMinutes: KEPT_MINUTES,
    archiveCompletedAfterSeconds: KEPT_MINUTES * 60,
  });
  boss.on('error', (error) => log.warn({ err: error }, 'the queue of evaluations'));
  // Two that start at an empty database at once would both make the queue's schema, and one of them fail.
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [START_LOCK]);
    await boss.start();
    await boss.createQueue(QUEUE);
  } finally {
    // Gone with its connection, lock and all, whatever happened.
    client.release(true);
  }
  return boss;
}

const stopBoss = (boss: PgBoss): Promise<void> => boss.stop({ graceful: false, close: false });

/** The judge's end. */
export async function openJobQueue({ pool, db, channel }: JobConnection, log: Log): Promise<JobQueue> {
  const boss = await openBoss(pool, log);
  const waiting = new Map<string, () => void>();
  let evaluators = 0;
  let lanes = 0;
  let made = 0;
  let failed = 0;
  let slowestMs = 0;
  const stopHearing = channel.onHeard((message) => waiting.get(message)?.());

  async function count(): Promise<void> {
    const { sum, alive } = await db
      .selectFrom('evaluators')
      .select((eb) => [
        eb.fn.sum<number | string | null>('lanes').as('sum'),
        eb.fn.countAll<number | string>().as('alive'),
      ])
      .where('seen', '>', sql<number>`${now} - ${GONE_MS}`)
      .executeTakeFirstOrThrow();
    lanes = Number(sum ?? 0);
    evaluators = Number(alive);
  }
  await count();
  const counting = setInterval(() => {
    count().catch((error: unknown) => {
      lanes = evaluators = 0;
      log.warn({ err: error }, 'the evaluators could not be counted');
    });
  }, BEAT_MS);

  /** @returns undefined while it is being made */
  async function answerOf(id: string): Promise<LossSum[] | undefined> {
    const job = await boss.getJobById(QUEUE, id);
    if (!job) throw new EvaluationJobError(`job ${id} is gone`);
    if (job.state === 'completed') return AnswerSchema.parse(job.output).losses;
    if (job.state === 'failed' || job.state === 'cancelled') {
      throw new EvaluationJobError(`job ${id} ${job.state}: ${JSON.stringify(job.output).slice(0, 300)}`);
    }
    return undefined;
  }

  return {
    lanes: () => lanes,
    figures: () => ({ evaluators, lanes, waiting: waiting.size, made, failed }),
    async request(job) {
      const began = Date.now();
      const patience = Math.min(MAX_DEADLINE_MS, Math.max(LEAST_DEADLINE_MS, DEADLINE_FACTOR * slowestMs));
      const id = await boss.send(QUEUE, job, { expireInSeconds: MAX_DEADLINE_MS / 1_000, retryLimit: 0 });
      if (id === null) throw new EvaluationJobError('the queue took no job');
      channel.tell('job');
      try {
        for (;;) {
          const heard = new Promise<void>((resolve) => waiting.set(id, resolve));
          const losses = await answerOf(id);
          if (losses) {
            if (losses.length !== job.pages.length)
              throw new EvaluationJobError(`job ${id} has another number of answers`);
            slowestMs = Math.max(slowestMs, Date.now() - began);
            made++;
            return losses;
          }
          if (Date.now() > began + patience) throw new EvaluationJobError(`job ${id} was not made in time`);
          if (lanes === 0) throw new EvaluationJobError('every evaluator has gone');
          await Promise.race([heard, sleep(LOOK_MS)]);
        }
      } catch (error) {
        failed++;
        await boss.cancel(QUEUE, id).catch(() => undefined);
        throw error;
      } finally {
        waiting.delete(id);
      }
    },
    async close() {
      clearInterval(counting);
      stopHearing();
      await stopBoss(boss);
      await channel.close();
    },
  };
}

/** An evaluator's end: takes jobs until stopped. @returns stops it, after the jobs under way */
export async function serveJobs(
  { pool, db, channel }: JobConnection,
  { id, description, lanes, make, log }: EvaluatorDuty,
): Promise<() => Promise<void>> {
  const boss = await openBoss(pool, log);
  const abort = new AbortController();
  const wakers = new Set<() => void>();
  const stopHearing = channel.onHeard((message) => {
    if (message === 'job') for (const wake of [...wakers]) wake();
  });

  async function beat(): Promise<void> {
    const row = { id, description, lanes, seen: now };
    await db
      .insertInto('evaluators')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
    await db
      .deleteFrom('evaluators')
      .where('seen', '<', sql<number>`${now} - ${10 * GONE_MS}`)
      .execute();
  }

  async function idle(): Promise<void> {
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
      wakers.add(wake);
      abort.signal.addEventListener('abort', wake, { once: true });
    });
    await Promise.race([woken, sleep(LOOK_MS)]);
    wakers.delete(wake);
    abort.signal.removeEventListener('abort', wake);
  }

  async function takeOne(lane: number): Promise<'none' | 'made' | 'failed'> {
    const [job] = await boss.fetch<unknown>(QUEUE);
    if (!job) return 'none';
    let outcome: 'made' | 'failed' = 'made';
    try {
      await boss.complete(QUEUE, job.id, { losses: await make(LossJobSchema.parse(job.data), lane) });
    } catch (error) {
      outcome = 'failed';
      log.warn({ err: error, job: job.id }, 'a job could not be made');
      await boss.fail(QUEUE, job.id, { reason: error instanceof Error ? error.message : String(error) });
    }
    channel.tell(job.id);
    return outcome;
  }

  async function work(lane: number): Promise<void> {
    let restMs = FIRST_REST_MS;
    while (!abort.signal.aborted) {
      try {
        const outcome = await takeOne(lane);
        if (outcome === 'none') await idle();
        else if (outcome === 'made') restMs = FIRST_REST_MS;
        else {
          await sleep(restMs, undefined, { signal: abort.signal }).catch(() => undefined);
          restMs = Math.min(LAST_REST_MS, 2 * restMs);
        }
      } catch (error) {
        log.warn({ err: error }, 'the queue cannot be reached');
        await idle();
      }
    }
  }

  await beat();
  const beating = setInterval(() => {
    beat().catch((error: unknown) => {
      log.warn({ err: error }, 'the database cannot be reached');
    });
  }, BEAT_MS);
  const working = Array.from({ length: lanes }, (_, lane) => work(lane));
  return async () => {
    abort.abort();
    await Promise.all(working);
    clearInterval(beating);
    stopHearing();
    await db
      .deleteFrom('evaluators')
      .where('id', '=', id)
      .execute()
      .catch(() => undefined);
    await stopBoss(boss);
    await channel.close();
  };
}
