/**
 * The run store on SQL. Every method is one statement or one transaction. On SQLite a transaction has the database to
 * itself; on PostgreSQL those that must not meet lock the row of the open window: joins and the judge alone, uploads
 * together with other uploads.
 */
import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type {
  PeerHistoryPoint,
  Sample,
  SignedReceipt,
  Verdict,
  WindowRecord,
  WindowSummary,
} from '../../core/protocol/api.ts';
import type { ChainRecord } from '../../core/protocol/chain.ts';
import type { SignedManifest } from '../../core/protocol/manifest.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import { lastSeen, type GuestBounds } from '../rounds/guests.ts';
import type { NewestDelegation } from '../rounds/delegations.ts';
import type { ContributionRow, RunStore, StepRow, WindowClose } from '../rounds/store.ts';
import { isPostgres, type Tables } from './database.ts';
import type { Transact } from './group-commit.ts';
import { migrate, type MigrateOptions } from './migrate.ts';
import { fromOpenWindow, parse, toContribution, toOpenWindow, toPeer, toTicket } from './sql-rows.ts';

async function currentPeer(db: Kysely<Tables>, hotkey: string): Promise<Selectable<Tables['peers']> | undefined> {
  return db.selectFrom('peers').selectAll().where('hotkey', '=', hotkey).where('uid', '>=', 0).executeTakeFirst();
}

async function contributionOf(
  db: Kysely<Tables>,
  { window, hotkey }: Pick<ContributionRow, 'window' | 'hotkey'>,
): Promise<Selectable<Tables['contributions']> | undefined> {
  return db
    .selectFrom('contributions')
    .selectAll()
    .where('hotkey', '=', hotkey)
    .where('window', '=', window)
    .executeTakeFirst();
}

async function newestDelegation(db: Kysely<Tables>, hotkey: string): Promise<NewestDelegation | undefined> {
  const row = await db
    .selectFrom('peers')
    .select(['issued_at', 'revoked_at'])
    .where('hotkey', '=', hotkey)
    .executeTakeFirst();
  return row && { issuedAt: row.issued_at, revokedAt: row.revoked_at };
}

const isVoid = (issuedAt: string, newest: NewestDelegation): boolean =>
  Date.parse(issuedAt) < Date.parse(newest.issuedAt) ||
  (newest.revokedAt !== null && Date.parse(issuedAt) <= Date.parse(newest.revokedAt));

/** Undefined when there are as many peers as there may be. */
async function nextUid(db: Kysely<Tables>, maxPeers: number): Promise<number | undefined> {
  const { last, peers } = await db
    .selectFrom('peers')
    .select((eb) => [eb.fn.max<number | null>('uid').as('last'), eb.fn.countAll<number | string>().as('peers')])
    .where('uid', '>=', 0)
    .executeTakeFirstOrThrow();
  if (Number(peers) >= maxPeers) return undefined;
  return (last ?? -1) + 1;
}

/** Whether one more guest would exceed its bounds, as `crowdedBy` says of all peers. */
async function isCrowded(db: Kysely<Tables>, bounds: GuestBounds): Promise<boolean> {
  const guests = db.selectFrom('peers').where('guest', '=', 1).where('uid', '>=', 0);
  const count = async (query: typeof guests): Promise<number> => {
    const { all } = await query.select((eb) => eb.fn.countAll<number | string>().as('all')).executeTakeFirstOrThrow();
    return Number(all);
  };
  if (bounds.origin !== null) {
    const rows = await guests.where('origin', '=', bounds.origin).select(['first_window', 'figures']).execute();
    const seen = rows.map((row) => lastSeen({ firstWindow: row.first_window, figures: parse(row.figures) as Figures }));
    if (seen.filter((window) => window >= bounds.seenFrom).length >= bounds.perOrigin) return true;
  }
  if ((await count(guests.where('first_window', '=', bounds.window))) >= bounds.newcomers) return true;
  return bounds.places !== null && (await count(guests)) >= bounds.places;
}

/** Takes a peer's uid from it; undefined when it is none, or delivered in the open window. */
async function vacatedUid(db: Kysely<Tables>, hotkey: string): Promise<number | undefined> {
  const peer = await currentPeer(db, hotkey);
  const open = await db.selectFrom('windows').select('window').where('record', 'is', null).executeTakeFirst();
  const delivered = open && (await contributionOf(db, { window: open.window, hotkey }));
  if (!peer || delivered) return undefined;
  const { least } = await db
    .selectFrom('peers')
    .select((eb) => eb.fn.min('uid').as('least'))
    .executeTakeFirstOrThrow();
  await db
    .updateTable('peers')
    .set({ uid: Math.min(0, least) - 1 })
    .where('hotkey', '=', hotkey)
    .execute();
  return peer.uid;
}

/** Keeps uploads, joins and the judge of a PostgreSQL database out until the transaction's end. */
async function lockOpenWindow(db: Kysely<Tables>): Promise<void> {
  if (!isPostgres(db)) return;
  const query = db.selectFrom('windows').select('window').where('record', 'is', null).forUpdate();
  // Whoever had to wait for a window to be closed finds the next one's row the second time.
  if (!(await query.executeTakeFirst())) await query.executeTakeFirst();
}

/** Rows of one statement: a statement costs as much as some dozen rows. */
const BATCH_ROWS = 200;

function* batches<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += BATCH_ROWS) yield rows.slice(at, at + BATCH_ROWS);
}

async function updatePeers(db: Kysely<Tables>, peers: WindowClose['peers']): Promise<void> {
  const rows = peers.map(
    ({ hotkey, figures, evaluated, aggregated }) =>
      // PostgreSQL would take what it is not told the type of for text.
      sql`(${hotkey}, ${JSON.stringify(figures)}, cast(${evaluated ? 1 : 0} as integer), cast(${aggregated ? 1 : 0} as integer))`,
  );
  await sql`
    with news (hotkey, figures, evaluated, aggregated) as (values ${sql.join(rows)})
    update peers set figures = news.figures, evaluated = peers.evaluated + news.evaluated,
      aggregated = peers.aggregated + news.aggregated
    from news where peers.hotkey = news.hotkey`.execute(db);
}

export interface SqlStoreOptions extends MigrateOptions {
  /** Part of each transaction that drives windows. @throws for a process that may not, or no longer */
  readonly assertLeader?: (transaction: Transaction<Tables>) => Promise<void>;
  /** How what peers ask for is written; by default each in a transaction of its own. */
  readonly transact?: Transact;
}

/** @param db is closed with the store. @throws DatabaseVersionError */
export async function createSqlStore(
  db: Kysely<Tables>,
  { assertLeader, transact = (work) => db.transaction().execute(work), ...options }: SqlStoreOptions = {},
): Promise<RunStore> {
  await migrate(db, options);

  const asLeader = <T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> =>
    db.transaction().execute(async (transaction) => {
      await assertLeader?.(transaction);
      return work(transaction);
    });

  return {
    async run() {
      const row = await db.selectFrom('run').select('signed').where('id', '=', 1).executeTakeFirst();
      return row && (parse(row.signed) as SignedManifest);
    },
    async createRun(run, checkpoint, first) {
      await db.transaction().execute(async (t) => {
        await t
          .insertInto('run')
          .values({ id: 1, signed: JSON.stringify(run) })
          .execute();
        await t
          .insertInto('checkpoints')
          .values({
            window: checkpoint.window,
            state_root: checkpoint.stateRoot,
            chunks: JSON.stringify(checkpoint.chunks),
          })
          .execute();
        await t.insertInto('windows').values(fromOpenWindow(first)).execute();
      });
    },

    async openWindow() {
      const row = await db.selectFrom('windows').selectAll().where('record', 'is', null).executeTakeFirstOrThrow();
      return toOpenWindow(row);
    },
    async setDeadlines(window, { putOpensAt, putClosesAt, blocks }) {
      await asLeader((t) =>
        t
          .updateTable('windows')
          .set({
            put_opens_at: putOpensAt,
            put_closes_at: putClosesAt,
            put_opens_block: blocks?.putOpens ?? null,
            put_closes_block: blocks?.putCloses ?? null,
          })
          .where('window', '=', window)
          .execute(),
      );
    },
    async markJudging(window) {
      await asLeader((t) => t.updateTable('windows').set({ judging: 1 }).where('window', '=', window).execute());
    },
    async closeWindow({ record, summary, verdicts, history, peers, checkpoint, book, next, forgetTicketsBefore }) {
      await asLeader(async (t) => {
        const closed = await t
          .updateTable('windows')
          .set({ record: JSON.stringify(record), summary: JSON.stringify(summary) })
          .where('window', '=', record.window)
          .where('record', 'is', null)
          .executeTakeFirst();
        if (closed.numUpdatedRows !== 1n) throw new Error(`window ${record.window} is not open`);
        for (const rows of batches(verdicts)) {
          await t
            .insertInto('verdicts')
            .values(
              rows.map(({ hotkey, verdict }) => ({
                hotkey,
                window: verdict.window,
                refusal: 0,
                verdict: JSON.stringify(verdict),
              })),
            )
            .execute();
        }
        for (const rows of batches(history)) {
          await t
            .insertInto('history')
            .values(rows.map(({ hotkey, point }) => ({ hotkey, window: point.window, point: JSON.stringify(point) })))
            .execute();
        }
        for (const some of batches(peers)) await updatePeers(t, some);
        if (checkpoint) {
          await t
            .insertInto('checkpoints')
            .values({
              window: checkpoint.window,
              state_root: checkpoint.stateRoot,
              chunks: JSON.stringify(checkpoint.chunks),
            })
            .execute();
        }
        await t
          .insertInto('books')
          .values({ window: record.window, ...book.ref, signature: book.signature })
          .execute();
        await t.deleteFrom('tickets').where('window', '<', forgetTicketsBefore).execute();
        await t.insertInto('windows').values(fromOpenWindow(next)).execute();
      });
    },
    async book(window) {
      const row = await db.selectFrom('books').selectAll().where('window', '=', window).executeTakeFirst();
      return row && { ref: { sha256: row.sha256, bytes: Number(row.bytes) }, signature: row.signature };
    },
    async record(window) {
      const row = await db.selectFrom('windows').select('record').where('window', '=', window).executeTakeFirst();
      return row?.record == null ? undefined : (parse(row.record) as WindowRecord);
    },
    async summaries(from, limit) {
      const rows = await db
        .selectFrom('windows')
        .select('summary')
        .where('summary', 'is not', null)
        .where('window', '>=', from)
        .orderBy('window')
        .limit(limit)
        .execute();
      return rows.map(({ summary }) => parse(summary!) as WindowSummary);
    },
    async checkpoint() {
      return db.transaction().execute(async (t) => {
        const row = await t
          .selectFrom('checkpoints')
          .selectAll()
          .orderBy('window', 'desc')
          .limit(1)
          .executeTakeFirstOrThrow();
        const published = await t
          .selectFrom('windows')
          .select('summary')
          .where('summary', 'is not', null)
          .where('window', '>=', row.window)
          .orderBy('window')
          .execute();
        const steps = published.map(({ summary }): StepRow => {
          const { window, stateRoot, outerStep } = parse(summary!) as WindowSummary;
          if (!outerStep || stateRoot === null) throw new Error(`window ${window} was published without a step`);
          return { ...outerStep, window, stateRoot };
        });
        return {
          checkpoint: { window: row.window, stateRoot: row.state_root, chunks: parse(row.chunks) as BlobRef[] },
          steps,
        };
      });
    },

    async peer(hotkey) {
      const row = await currentPeer(db, hotkey);
      return row && toPeer(row);
    },
    newestDelegation: (hotkey) => newestDelegation(db, hotkey),
    async revoke(hotkey, sessionKey, revokedAt) {
      return db.transaction().execute(async (t) => {
        await lockOpenWindow(t);
        const peer = await currentPeer(t, hotkey);
        if (peer?.session_key !== sessionKey) return false;
        // An earlier date, come late, takes nothing back.
        if (peer.revoked_at === null || Date.parse(peer.revoked_at) < Date.parse(revokedAt)) {
          await t.updateTable('peers').set({ revoked_at: revokedAt }).where('hotkey', '=', hotkey).execute();
        }
        return true;
      });
    },
    async peers() {
      return (await db.selectFrom('peers').selectAll().where('uid', '>=', 0).orderBy('uid').execute()).map(toPeer);
    },
    async peerCount() {
      const { peers } = await db
        .selectFrom('peers')
        .select((eb) => eb.fn.countAll<number | string>().as('peers'))
        .where('uid', '>=', 0)
        .executeTakeFirstOrThrow();
      return Number(peers);
    },
    async join({ hotkey, sessionKey, issuedAt, expiresAt }, { replaces, maxPeers, bounds, ...fresh }) {
      return transact(async (t) => {
        await lockOpenWindow(t);
        const newest = await newestDelegation(t, hotkey);
        if (newest && isVoid(issuedAt, newest)) return undefined;
        const session = { session_key: sessionKey, issued_at: issuedAt, expires_at: expiresAt };
        if (await currentPeer(t, hotkey)) {
          await t.updateTable('peers').set(session).where('hotkey', '=', hotkey).execute();
        } else {
          if (bounds && (await isCrowded(t, bounds))) return undefined;
          const uid = replaces === null ? await nextUid(t, maxPeers) : await vacatedUid(t, replaces);
          if (uid === undefined) return undefined;
          const row = {
            hotkey,
            uid,
            first_window: fresh.firstWindow,
            ...session,
            guest: fresh.guest ? 1 : 0,
            origin: fresh.origin,
            accepted: 0,
            rejected: 0,
            evaluated: 0,
            aggregated: 0,
            figures: JSON.stringify(fresh.figures),
            revoked_at: newest?.revokedAt ?? null,
          };
          // Who was a peer once has a row already.
          await t
            .insertInto('peers')
            .values(row)
            .onConflict((conflict) => conflict.column('hotkey').doUpdateSet(row))
            .execute();
        }
        return toPeer((await currentPeer(t, hotkey))!);
      });
    },
    async verdicts(hotkey, limit) {
      const rows = await db
        .selectFrom('verdicts')
        .select('verdict')
        .where('hotkey', '=', hotkey)
        .orderBy('window', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ verdict }) => parse(verdict) as Verdict);
    },
    async windowHistory(window) {
      const rows = await db.selectFrom('history').select(['hotkey', 'point']).where('window', '=', window).execute();
      return rows.map(({ hotkey, point }) => ({ hotkey, point: parse(point) as PeerHistoryPoint }));
    },
    async history(hotkey, limit) {
      const rows = await db
        .selectFrom('history')
        .select('point')
        .where('hotkey', '=', hotkey)
        .orderBy('window', 'desc')
        .limit(limit)
        .execute();
      return rows.reverse().map(({ point }) => parse(point) as PeerHistoryPoint);
    },
    async receipts(hotkey, limit) {
      const rows = await db
        .selectFrom('contributions')
        .select('receipt')
        .where('hotkey', '=', hotkey)
        .orderBy('window', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ receipt }) => parse(receipt) as SignedReceipt);
    },

    async issueTicket(ticket) {
      const { id, window, hotkey, sha256, bytes, sessionKey } = ticket;
      return transact(async (t) => {
        const wanted = { id, sha256, bytes, session_key: sessionKey };
        const row = await t
          .insertInto('tickets')
          .values({ ...wanted, window, hotkey })
          .onConflict((conflict) =>
            conflict.columns(['window', 'hotkey']).doUpdateSet((eb) => ({
              ...wanted,
              // A peer that asks again, having missed the answer, may use the first one all the same.
              id: eb
                .case()
                .when(
                  eb.and([
                    eb('tickets.sha256', '=', sha256),
                    eb('tickets.bytes', '=', bytes),
                    eb('tickets.session_key', '=', sessionKey),
                  ]),
                )
                .then(eb.ref('tickets.id'))
                .else(id)
                .end(),
            })),
          )
          .returningAll()
          .executeTakeFirstOrThrow();
        return toTicket(row);
      });
    },
    async ticket(id) {
      const row = await db.selectFrom('tickets').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toTicket(row);
    },
    async unusedTickets(window) {
      const rows = await db
        .selectFrom('tickets')
        .leftJoin('contributions', (join) =>
          join
            .onRef('contributions.window', '=', 'tickets.window')
            .onRef('contributions.hotkey', '=', 'tickets.hotkey'),
        )
        .selectAll('tickets')
        .where('tickets.window', '=', window)
        .where('contributions.sha256', 'is', null)
        .execute();
      return rows.map(toTicket);
    },

    async contribution(window, hotkey) {
      const row = await contributionOf(db, { window, hotkey });
      return row && toContribution(row);
    },
    async contributions(window) {
      const rows = await db.selectFrom('contributions').selectAll().where('window', '=', window).execute();
      // Not by the database, which may order texts by a language's rules: what is drawn depends on it.
      return rows.map(toContribution).sort((a, b) => (a.hotkey < b.hotkey ? -1 : 1));
    },
    async accept(row) {
      return transact(async (t) => {
        const earlier = await contributionOf(t, row);
        if (earlier) return toContribution(earlier);
        const open = await t
          .selectFrom('windows')
          .select('window')
          .where('window', '=', row.window)
          .where('record', 'is', null)
          .where('judging', '=', 0)
          .$if(isPostgres(t), (query) => query.forShare())
          .executeTakeFirst();
        if (!open) throw new Error(`window ${row.window} takes no uploads any more`);
        if (!(await currentPeer(t, row.hotkey))) throw new Error(`${row.hotkey} is no peer of this run`);
        const inserted = await t
          .insertInto('contributions')
          .values({
            window: row.window,
            hotkey: row.hotkey,
            sha256: row.sha256,
            bytes: row.bytes,
            arrived_at: row.arrivedAt,
            pages_trained: row.pagesTrained,
            session_key: row.sessionKey,
            receipt: JSON.stringify(row.receipt),
          })
          .onConflict((conflict) => conflict.columns(['hotkey', 'window']).doNothing())
          .executeTakeFirst();
        // Another process took one of this peer at the same time.
        if (inserted.numInsertedOrUpdatedRows !== 1n) return toContribution((await contributionOf(t, row))!);
        await t
          .updateTable('peers')
          .set((eb) => ({ accepted: eb('accepted', '+', 1) }))
          .where('hotkey', '=', row.hotkey)
          .execute();
        return row;
      });
    },
    async refuse(hotkey, verdict, keep) {
      await transact(async (t) => {
        await t
          .updateTable('peers')
          .set((eb) => ({ rejected: eb('rejected', '+', 1) }))
          .where('hotkey', '=', hotkey)
          .execute();
        const kept = await t
          .selectFrom('verdicts')
          .select((eb) => eb.fn.countAll().as('count'))
          .where('hotkey', '=', hotkey)
          .where('window', '=', verdict.window)
          .where('refusal', '=', 1)
          .executeTakeFirstOrThrow();
        if (Number(kept.count) >= keep) return;
        await t
          .insertInto('verdicts')
          .values({ hotkey, window: verdict.window, refusal: 1, verdict: JSON.stringify(verdict) })
          .execute();
      });
    },
    async refusals(window, limit) {
      const rows = await db
        .selectFrom('verdicts')
        .select(['hotkey', 'verdict'])
        .where('window', '=', window)
        // A literal, as in the index.
        .where(sql<boolean>`refusal = 1`)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(({ hotkey, verdict }) => ({ hotkey, verdict: parse(verdict) as Verdict }));
    },

    async addChainRecords(records, keep) {
      await db.transaction().execute(async (t) => {
        for (const { hotkey, record } of records) {
          const row = { hotkey, block: record.block, record: JSON.stringify(record) };
          await t
            .insertInto('chain_records')
            .values(row)
            .onConflict((conflict) => conflict.columns(['hotkey', 'block']).doUpdateSet(row))
            .execute();
          const newest = t
            .selectFrom('chain_records')
            .select('block')
            .where('hotkey', '=', hotkey)
            .orderBy('block', 'desc')
            .limit(keep);
          await t.deleteFrom('chain_records').where('hotkey', '=', hotkey).where('block', 'not in', newest).execute();
        }
      });
    },
    async chainRecords(hotkey, limit) {
      const rows = await db
        .selectFrom('chain_records')
        .select('record')
        .where('hotkey', '=', hotkey)
        .orderBy('block', 'desc')
        .limit(limit)
        .execute();
      return rows.reverse().map(({ record }) => parse(record) as ChainRecord);
    },

    async addSample(sample) {
      const row = { window: sample.window, sample: JSON.stringify(sample) };
      await db
        .insertInto('samples')
        .values(row)
        .onConflict((conflict) => conflict.column('window').doUpdateSet(row))
        .execute();
    },
    async samples(limit) {
      const rows = await db.selectFrom('samples').select('sample').orderBy('window', 'desc').limit(limit).execute();
      return rows.reverse().map(({ sample }) => parse(sample) as Sample);
    },

    close: () => db.destroy(),
  };
}
