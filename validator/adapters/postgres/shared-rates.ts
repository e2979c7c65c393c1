/**
 * Rates of callers in the database that all processes share, by its clock: a statement a request. Who is refused is
 * remembered here, so that a flood of refused requests is none for the database.
 */
import { sql, type Kysely } from 'kysely';
import { costMs, rateState, type Rate, type RateState, type RateStore } from '../../http/rate-limit.ts';
import type { Log } from '../../rounds/ports.ts';
import type { Tables } from '../database.ts';

const CLEAN_MS = 60_000;
const MAX_REFUSED = 10_000;

export interface SharedRates extends RateStore {
  close(): void;
}

const databaseTime = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::double precision`;

export function createSharedRates(db: Kysely<Tables>, log: Log): SharedRates {
  /** When a key is allowed one again, by this process's clock. */
  const refusedUntil = new Map<string, number>();

  const cleaning = setInterval(() => {
    db.deleteFrom('rates')
      .where('full_at', '<', databaseTime)
      .execute()
      .catch((error: unknown) => {
        log.warn({ err: error }, 'the table of rates could not be cleaned');
      });
  }, CLEAN_MS);
  cleaning.unref();

  async function backlogOf(key: string): Promise<number> {
    const row = await db
      .selectFrom('rates')
      .select(sql<number>`full_at - ${databaseTime}`.as('backlog'))
      .where('key', '=', key)
      .executeTakeFirst();
    return Math.max(0, row?.backlog ?? 0);
  }

  function refused(key: string, backlog: number, rate: Rate): RateState {
    const state = rateState(false, backlog, rate);
    refusedUntil.delete(key);
    refusedUntil.set(key, Date.now() + state.retryMs);
    if (refusedUntil.size > MAX_REFUSED) refusedUntil.delete(refusedUntil.keys().next().value!);
    return state;
  }

  /** What is known here without asking: the key is refused. */
  function known(key: string, rate: Rate): RateState | undefined {
    const wait = (refusedUntil.get(key) ?? 0) - Date.now();
    return wait > 0 ? rateState(false, wait + (rate.burst - 1) * costMs(rate), rate) : undefined;
  }

  return {
    async take(key, rate) {
      const refusedHere = known(key, rate);
      if (refusedHere) return refusedHere;
      const cost = costMs(rate);
      const after = sql<number>`greatest(rates.full_at, ${databaseTime}) + ${cost}::double precision`;
      const row = await db
        .insertInto('rates')
        .values({ key, full_at: sql<number>`${databaseTime} + ${cost}::double precision` })
        .onConflict((conflict) =>
          conflict
            .column('key')
            .doUpdateSet({ full_at: after })
            .where(sql<boolean>`${after} <= ${databaseTime} + ${rate.burst * cost}::double precision + 0.001`),
        )
        .returning(sql<number>`full_at - ${databaseTime}`.as('backlog'))
        .executeTakeFirst();
      return row ? rateState(true, Math.max(0, row.backlog), rate) : refused(key, await backlogOf(key), rate);
    },
    async look(key, rate) {
      const refusedHere = known(key, rate);
      if (refusedHere) return refusedHere;
      const backlog = await backlogOf(key);
      return backlog + costMs(rate) <= rate.burst * costMs(rate) + 0.001
        ? rateState(true, backlog, rate)
        : refused(key, backlog, rate);
    },
    close: () => {
      clearInterval(cleaning);
    },
  };
}
