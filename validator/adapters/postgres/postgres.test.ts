import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewsItem } from '../../rounds/follower.ts';
import { findPostgres, startPostgres, type PostgresServer } from '../testing/servers.ts';
import { describeRunStore } from '../testing/store-suite.ts';
import { silentLog } from '../testing/test-run.ts';
import { LeaseLostError } from './lease.ts';
import { openPostgres, type PostgresRun } from './postgres.ts';
import { DatabaseUnansweredError } from './unanswered.ts';

if (!findPostgres()) console.log('skipped: no PostgreSQL is installed (Debian: postgresql)');

describe.skipIf(!findPostgres())('PostgreSQL', () => {
  let server: PostgresServer;
  let databases = 0;
  let url: string;
  const opened: PostgresRun[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((run) => run.close()));
  });

  async function open(): Promise<PostgresRun> {
    const run = await openPostgres(url, silentLog);
    opened.push(run);
    return run;
  }
  const freshDatabase = async (): Promise<void> => {
    url = await server.database(`run${databases++}`);
  };

  describe('as the database of a run', () => {
    let current = '';
    describeRunStore('PostgreSQL', async () => {
      const test = expect.getState().currentTestName ?? '';
      // A store that is opened again within a test is of the same database.
      if (test !== current) await freshDatabase();
      current = test;
      const run = await open();
      await run.lease.take();
      return { ...run.store, close: () => run.lease.release() };
    });
  });

  it('is made by as many processes at once as come', async () => {
    await freshDatabase();
    const runs = await Promise.all([open(), open(), open()]);
    expect(await Promise.all(runs.map(({ store }) => store.run()))).toEqual([undefined, undefined, undefined]);
    const queues = await Promise.all(runs.map((run) => run.openJobs()));
    await Promise.all(queues.map((queue) => queue.close()));
  });

  it.each([
    ['user', 'stranger', /role "stranger" does not exist\. Let this user in/],
    ['database', 'nowhere', /database "nowhere" does not exist\. Make it with createdb/],
    ['folder', '/nowhere', /ENOENT.*Start it, or correct the socket’s folder/],
  ] as const)('says what is wrong when it does not let in or answer: %s', async (part, wrong, sentence) => {
    const address = new URL(await server.database(`gate_${part}`));
    if (part === 'user') address.username = wrong;
    else if (part === 'database') address.pathname = wrong;
    else address.searchParams.set('host', wrong);
    const opening = openPostgres(address.href, silentLog);
    await expect(opening).rejects.toThrow(DatabaseUnansweredError);
    await expect(opening).rejects.toThrow(sentence);
  });

  it('lets one process at a time drive the windows, and another when it has gone', async () => {
    await freshDatabase();
    const [a, b] = [await open(), await open()];
    expect([await a.lease.take(), await b.lease.take(), await a.lease.take()]).toEqual([true, false, true]);
    await a.store.markJudging(1);
    await expect(b.store.markJudging(1)).rejects.toThrow(LeaseLostError);
    await a.lease.release();
    await expect(a.store.markJudging(1)).rejects.toThrow(LeaseLostError);
    expect([await b.lease.take(), await a.lease.take()]).toEqual([true, false]);
    await b.lease.release();
  });

  it('takes the lease from a process that does not renew it, which then changes nothing more', async () => {
    await freshDatabase();
    const [a, b] = [await open(), await open()];
    expect(await a.lease.take()).toBe(true);
    await a.db.updateTable('leases').set({ until: 0 }).execute();
    await expect(a.store.setDeadlines(1, { putOpensAt: 1, putClosesAt: 2, blocks: null })).rejects.toThrow(
      LeaseLostError,
    );
    expect([await b.lease.take(), await a.lease.take()]).toEqual([true, false]);
    await b.lease.release();
  });

  it('counts callers for all processes together, and asks nobody about whom it just refused', async () => {
    await freshDatabase();
    const [a, b] = [await open(), await open()];
    const rate = { burst: 20, perMinute: 0.5 };
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, i) => [a, b][i % 2]!.rates.take('joins 192.0.2.1', rate)),
    );
    expect(asked.filter(({ allowed }) => allowed)).toHaveLength(20);
    expect(Math.min(...asked.map(({ remaining }) => remaining))).toBe(0);
    const [refused] = asked.filter(({ allowed }) => !allowed);
    expect(refused!.retryMs).toBeGreaterThan(60_000);
    expect(refused!.retryMs).toBeLessThanOrEqual(120_000);
    expect((await b.rates.look('joins 192.0.2.1', rate)).allowed).toBe(false);
    expect(await b.rates.take('joins 192.0.2.2', rate)).toMatchObject({ allowed: true, remaining: 19 });
    await a.db.schema.dropTable('rates').execute();
    expect((await a.rates.take('joins 192.0.2.1', rate)).allowed).toBe(false);
    await expect(a.rates.take('joins 192.0.2.3', rate)).rejects.toThrow(/rates/);
  });

  it('lets callers come again after as long as it says', async () => {
    await freshDatabase();
    const { rates } = await open();
    const rate = { burst: 2, perMinute: 120 };
    for (const allowed of [true, true, false]) expect((await rates.take('a', rate)).allowed).toBe(allowed);
    const { retryMs } = await rates.take('a', rate);
    expect(retryMs).toBeLessThanOrEqual(500);
    await expect.poll(async () => (await rates.take('a', rate)).allowed, { timeout: 5_000 }).toBe(true);
  });

  it('outlives a server that dies in the middle of a transaction', async () => {
    await freshDatabase();
    const run = await open();
    const cut = run.db.transaction().execute(async (transaction) => {
      await transaction.selectFrom('run').selectAll().execute();
      await server.kill();
      // An error that nobody hears ends the process, and this test.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await transaction.selectFrom('run').selectAll().execute();
    });
    await expect(cut).rejects.toThrow();
    await server.start();
    await expect.poll(() => run.store.run().catch(() => 'away'), { timeout: 60_000 }).toBeUndefined();
  });

  it('tells news to every process in their order, also after its connections were cut', async () => {
    await freshDatabase();
    const [a, b] = [await open(), await open()];
    const heard: NewsItem[] = [];
    const waiting: (() => void)[] = [];
    b.news.onNews((item) => {
      heard.push(item);
      waiting.shift()?.();
    });
    const next = () => new Promise<void>((resolve) => waiting.push(resolve));
    const items: NewsItem[] = [
      { type: 'clock', window: 3, phase: 'judge' },
      { type: 'window', window: 3 },
      { type: 'leaderboard', window: 3 },
    ];
    const all = Promise.all(items.map(next));
    for (const item of items) a.news.publish(item);
    await all;
    expect(heard).toEqual(items);
    await server.kill();
    await server.start();
    await expect.poll(async () => a.lease.take().catch(() => false), { timeout: 60_000 }).toBe(true);
    const again = next();
    const told = setInterval(() => a.news.publish(items[0]!), 200);
    await again;
    clearInterval(told);
    expect(heard.at(-1)).toEqual(items[0]);
  });
});
