import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewsItem } from '../../rounds/follower.ts';
import { findPostgres, startPostgres, type PostgresServer } from '../testing/servers.ts';
import { describeRunStore } from '../testing/store-suite.ts';
import { silentLog } from '../testing/test-run.ts';
import { LeaseLostError } from './lease.ts';
import { openPostgres, type PostgresRun } from './postgres.ts';

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
    await expect.poll(async () => a.lease.take().catch(() => false), { timeout: 10_000 }).toBe(true);
    const again = next();
    const told = setInterval(() => a.news.publish(items[0]!), 200);
    await again;
    clearInterval(told);
    expect(heard.at(-1)).toEqual(items[0]);
  }, 30_000);
});
