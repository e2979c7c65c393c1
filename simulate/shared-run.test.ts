/**
 * One run on PostgreSQL and an S3-compatible store, at which six processes work: two that may drive it, one that answers,
 * two evaluators, and the peers, whose uploads go straight to the store. Then the driving one and an evaluator are killed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createValidatorApi } from '../client/api.ts';
import type { SignedReceipt } from '../core/protocol/api.ts';
import { placesOf } from '../validator/adapters/places.ts';
import {
  findSharedPlaces,
  placesAt,
  startObjectStore,
  startPostgres,
  type ObjectStoreServer,
  type PostgresServer,
} from '../validator/adapters/testing/servers.ts';
import { writeTestRun } from '../validator/adapters/testing/test-run.ts';
import { createCrowd, type SimulatedPeer } from './peers.ts';
import { startGauntlet, type GauntletProcess } from './testing/gauntlet-process.ts';

const LEADS = /this process drives the windows now/;
const available = findSharedPlaces();

describe.skipIf(!available)('a run that several processes share', () => {
  let postgres: PostgresServer;
  let store: ObjectStoreServer;
  let folder: string;
  const processes: GauntletProcess[] = [];
  const peers: SimulatedPeer[] = [];
  beforeAll(async () => {
    [postgres, store, folder] = await Promise.all([
      startPostgres(),
      startObjectStore(),
      mkdtemp(join(tmpdir(), 'shared-run-')),
    ]);
  }, 60_000);
  afterAll(async () => {
    for (const { contributor } of peers) contributor.stop();
    await Promise.all(processes.map((each) => each.kill()));
    await Promise.all([postgres.stop(), store.stop(), rm(folder, { recursive: true, force: true })]);
  });

  it('goes on when the driving process and an evaluator are killed, and honours every receipt', async () => {
    const environment = { ...(await placesAt('shared', postgres, store)), GAUNTLET_LOG: 'info' };
    const data = join(folder, 'run');
    await writeTestRun(data, undefined, undefined, placesOf(environment));

    const start = (...args: string[]): GauntletProcess => {
      const started = startGauntlet(args, environment);
      processes.push(started);
      return started;
    };
    const drivers = ['a', 'b'].map(() =>
      start('start', '--data', data, '--peers', '0', '--attackers', '0', '--port', '0'),
    );
    const api = start('api', '--data', data, '--port', '0');
    const evaluators = ['c', 'd'].map(() => start('evaluator', '--lanes', '1'));
    const [, url] = await api.said(/answering at (http:\S+)/);
    await Promise.all(evaluators.map((each) => each.said(/1 at once, on cpu/)));
    const leader = await Promise.race(drivers.map(async (each) => each.said(LEADS).then(() => each)));
    const heir = drivers.find((each) => each !== leader)!;

    const receipts: SignedReceipt[] = [];
    const crowd = await createCrowd({
      validatorUrl: url!,
      folder: join(folder, 'peers'),
      honest: 2,
      attackers: 0,
      onEvent: (_, event) => {
        if (event.type === 'receipt') receipts.push(event.receipt);
      },
    });
    peers.push(...crowd);
    for (const { contributor } of crowd) void contributor.run();

    const client = createValidatorApi({ baseUrl: url!, fetch });
    const published = async (): Promise<number> => (await client.windows(1, 100)).length;
    await expect.poll(published, { timeout: 60_000, interval: 250 }).toBeGreaterThanOrEqual(2);
    await expect.poll(async () => (await client.clock()).phase, { timeout: 20_000, interval: 50 }).toBe('put');

    const { window: killedIn } = await client.clock();
    await Promise.all([leader.kill(), evaluators[0]!.kill()]);
    await heir.said(LEADS);
    // By the time in which two windows are trained and uploaded for, the one of the kill and the next are published.
    await expect.poll(published, { timeout: 45_000, interval: 250 }).toBeGreaterThanOrEqual(killedIn + 1);
    for (const { contributor } of crowd) contributor.stop();

    const windows = await client.windows(1, 100);
    expect(windows.map(({ window }) => window)).toEqual(windows.map((_, i) => i + 1));
    const records = await Promise.all(windows.map(({ window }) => client.window(window)));
    const taken = records.flatMap(({ window, contributions }) =>
      contributions.map(({ hotkey, sha256 }) => `${window} ${hotkey} ${sha256}`),
    );
    const due = receipts.filter(({ receipt }) => receipt.window <= windows.length);
    expect(due.length).toBeGreaterThanOrEqual(2);
    for (const { receipt } of due) expect(taken).toContain(`${receipt.window} ${receipt.hotkey} ${receipt.sha256}`);
    expect(new Set(taken).size).toBe(taken.length);
    // Arrivals are the store's, within the put phase; that of the kill was held anew, and what came before it counts.
    for (const { window, putOpensAt, putClosesAt, contributions } of records) {
      for (const { arrivedAt } of contributions) {
        expect(arrivedAt <= putClosesAt && (window === killedIn || arrivedAt >= putOpensAt)).toBe(true);
      }
    }
    const ledger = await Promise.all(crowd.map(({ hotkey }) => client.peer(hotkey)));
    const open = (await client.clock()).window;
    const ofOpen = ledger.flatMap((peer) => peer.receipts).filter(({ receipt }) => receipt.window === open).length;
    expect(ledger.reduce((sum, peer) => sum + peer.contributions.accepted, 0)).toBe(taken.length + ofOpen);

    const audit = start('audit', '--url', url!, '--window', '1', '--through', String(windows.length));
    expect(await audit.exited(), audit.output()).toBe(0);

    expect(await evaluators[1]!.interrupt()).toBe(0);
    expect(Number(/(\d+) measurements made/.exec(evaluators[1]!.output())?.[1])).toBeGreaterThan(0);
    expect(evaluators[1]!.output()).not.toContain('the parameters have root');
    expect(await heir.interrupt()).toBe(0);
    expect(await api.interrupt()).toBe(0);
  }, 600_000);
});
