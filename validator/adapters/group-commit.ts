/**
 * Writes that come while another is being synced are committed together: a disk syncs once for all of them, and none is
 * answered before. For a database with one connection, whose commits hold up everything else.
 */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Tables } from './database.ts';

/** As many as a disk's pause may bring together; the rest come with the next. */
const MAX_GROUP = 64;

/** Does some work in a transaction, all of it or nothing. @throws whatever the work throws, or the commit */
export type Transact = <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => Promise<T>;

interface Waiting {
  /** @returns settles it, once the transaction is committed */
  readonly attempt: (transaction: Transaction<Tables>) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function groupCommits(db: Kysely<Tables>): Transact {
  const queue: Waiting[] = [];
  let draining = false;

  /** Each work is a savepoint: one that fails takes nothing of the others with it. */
  async function commit(group: readonly Waiting[]): Promise<void> {
    try {
      const settled: (() => void)[] = [];
      await db.transaction().execute(async (transaction) => {
        for (const { attempt } of group) settled.push(await attempt(transaction));
      });
      for (const settle of settled) settle();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // What arrived while the disk was busy is read first.
      await turn();
      await commit(queue.splice(0, MAX_GROUP));
    }
    draining = false;
  }

  return <T>(work: (transaction: Transaction<Tables>) => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      queue.push({
        reject,
        async attempt(transaction) {
          await sql`savepoint one_of_many`.execute(transaction);
          let settle: () => void;
          try {
            const value = await work(transaction);
            settle = () => resolve(value);
          } catch (error) {
            await sql`rollback to savepoint one_of_many`.execute(transaction);
            // Whatever the work threw.
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
            settle = () => reject(error);
          }
          await sql`release savepoint one_of_many`.execute(transaction);
          return settle;
        },
      });
      if (draining) return;
      draining = true;
      void drain();
    });
}
