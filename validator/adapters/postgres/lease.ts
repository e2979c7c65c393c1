/**
 * Who drives the windows: one process at a time, for as long as it renews its lease. Time is the database's, and every
 * transaction that drives a window checks the lease itself, so a process that was held up and does not know that its
 * lease ran out changes nothing.
 */
import { sql, type Kysely } from 'kysely';
import type { Lease } from '../../rounds/succession.ts';
import type { Tables } from '../database.ts';

const NAME = 'windows';
/** A process that dies is replaced after this long at most: less than the shortest window. */
const LEASE_MS = 6_000;

/** Another process drives the windows now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

const databaseTime = sql<string>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export function createLease(db: Kysely<Tables>, holder: string): Lease {
  const until = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint + ${LEASE_MS}`;
  return {
    ms: LEASE_MS,
    async take() {
      const taken = await db
        .insertInto('leases')
        .values({ name: NAME, holder, until })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ holder, until })
            .where((eb) => eb.or([eb('leases.holder', '=', holder), eb('leases.until', '<', databaseTime)])),
        )
        .returning('holder')
        .executeTakeFirst();
      return taken !== undefined;
    },
    async release() {
      await db.deleteFrom('leases').where('name', '=', NAME).where('holder', '=', holder).execute();
    },
  };
}

/** Keeps the lease from changing hands until the transaction's end. @throws LeaseLostError */
export async function assertHolds(transaction: Kysely<Tables>, holder: string): Promise<void> {
  const row = await transaction
    .selectFrom('leases')
    .select('holder')
    .where('name', '=', NAME)
    .where('holder', '=', holder)
    .where('until', '>', databaseTime)
    .forShare()
    .executeTakeFirst();
  if (!row) throw new LeaseLostError('another process drives the windows now');
}
