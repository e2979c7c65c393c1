/**
 * A run that is upgraded while peers contribute to it: on one machine, and as several processes of two versions at once. The
 * other versions are the sources with another protocol and further migrations (testing/versions), as real processes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createValidatorApi, type ValidatorApi } from '../client/api.ts';
import { createContributor, type Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import { placesOf } from '../validator/adapters/places.ts';
import {
  findSharedPlaces,
  freePort,
  placesAt,
  startObjectStore,
  startPostgres,
  type ObjectStoreServer,
  type PostgresServer,
} from '../validator/adapters/testing/servers.ts';
import { writeTestRun } from '../validator/adapters/testing/test-run.ts';
import { nodePorts } from './node-ports.ts';
import { ofVersion, startGauntlet, type GauntletProcess, type OtherVersion } from './testing/gauntlet-process.ts';

/** So long that peers deliver on a machine that starts processes meanwhile. */
const WINDOW = { trainSeconds: 8, putSeconds: 4 };
const NOBODY = ['--peers', '0', '--attackers', '0'];
const TIMEOUT_MS = 240_000;
const LONG = { timeout: 90_000, interval: 100 };

let folder: string;
const processes: GauntletProcess[] = [];
const contributors: Contributor[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
});
afterEach(async () => {
  for (const contributor of contributors.splice(0)) contributor.stop();
  await Promise.all(processes.splice(0).map((each) => each.kill()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Peer {
  readonly hotkey: string;
  readonly events: ContributorEvent[];
  /** Windows and hashes of what it holds receipts for. */
  readonly receipts: () => { window: number; sha256: string }[];
}

async function contribute(validatorUrl: string, name: string, fetchOf: typeof fetch): Promise<Peer> {
  const ports = await nodePorts(join(folder, name), 1);
  const events: ContributorEvent[] = [];
  const contributor = createContributor({
    validatorUrl,
    ports: { ...ports, fetch: fetchOf },
    onEvent: (event) => events.push(event),
  });
  contributors.push(contributor);
  void contributor.run();
  return {
    hotkey: ports.identity.hotkey,
    events,
    receipts: () => events.flatMap((event) => (event.type === 'receipt' ? [event.receipt.receipt] : [])),
  };
}

const published = async (api: ValidatorApi): Promise<number> => (await api.windows(1, 100)).length;

/** Each window was published once, with all that peers hold receipts for. */
async function expectNothingLost(api: ValidatorApi, peers: readonly Peer[]): Promise<void> {
  const windows = await api.windows(1, 100);
  expect(windows.map(({ window }) => window)).toEqual(windows.map((_, i) => i + 1));
  const records = await Promise.all(windows.map(({ window }) => api.window(window)));
  const taken = records.flatMap(({ window, contributions }) =>
    contributions.map(({ hotkey, sha256 }) => `${window} ${hotkey} ${sha256}`),
  );
  expect(new Set(taken).size).toBe(taken.length);
  for (const { hotkey, receipts } of peers) {
    const due = receipts().filter(({ window }) => window <= windows.length);
    expect(taken).toEqual(expect.arrayContaining(due.map(({ window, sha256 }) => `${window} ${hotkey} ${sha256}`)));
  }
}

const addressOf = (input: Parameters<typeof fetch>[0]): string =>
  input instanceof Request ? input.url : input.toString();

/** What is sent for a window's contribution, apart from joining. */
const isDelivery = (url: string): boolean => /\/v1\/windows\/\d+\/contributions$/.test(url);

describe('on one machine', () => {
  it(
    'packed work outlasts the upgrade, the program can be taken back, and one that is too old says so',
    async () => {
      const data = join(folder, 'alone');
      await writeTestRun(data, undefined, undefined, undefined, WINDOW);
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/`;
      const start = async (version?: OtherVersion): Promise<GauntletProcess> => {
        const args = ['start', '--data', data, '--port', String(port), ...NOBODY];
        const started = startGauntlet(args, version ? ofVersion(version) : {});
        processes.push(started);
        await started.said(/Open http/);
        return started;
      };
      const old = await start();
      const api = createValidatorApi({ baseUrl: url, fetch });
      // The validator goes away at the moment at which the peer has its work packed, and stays away for longer than uploads last.
      let packed: ((url: string) => void) | undefined;
      const peer = await contribute(url, 'alone-peer', async (input, init) => {
        if (isDelivery(addressOf(input))) {
          packed?.(JSON.stringify(init?.body));
          packed = undefined;
        }
        return fetch(input, init);
      });
      await expect.poll(() => peer.receipts().length, LONG).toBeGreaterThan(0);
      const first = peer.receipts()[0]!.window;
      await expect.poll(async () => (await api.clock()).window, LONG).toBeGreaterThan(first);
      const { window } = await api.clock();
      let stopped: Promise<number | null> | undefined;
      const sent = await new Promise<string>((resolve) => {
        packed = (body) => {
          stopped = old.interrupt();
          resolve(body);
        };
      });
      expect(await stopped).toBe(0);
      const trained = peer.events.filter(({ type }) => type === 'loss').length;
      await new Promise((resolve) => setTimeout(resolve, 1_000 * (WINDOW.putSeconds + 1)));
      const next = await start('next');
      await expect.poll(() => peer.receipts().some((receipt) => receipt.window >= window), LONG).toBe(true);
      const receipt = peer.receipts().find((each) => each.window >= window)!;
      expect(sent).toContain(receipt.sha256);
      expect(peer.events.filter(({ type }) => type === 'loss').length).toBe(trained);
      await expect.poll(() => published(api), LONG).toBeGreaterThanOrEqual(receipt.window);
      await expectNothingLost(api, [peer]);
      expect(await next.interrupt()).toBe(0);

      const back = await start();
      expect((await api.clock()).window).toBeGreaterThan(receipt.window);
      expect(await back.interrupt()).toBe(0);
      expect(await (await start('later')).interrupt()).toBe(0);
      const refused = startGauntlet(['start', '--data', data, '--port', '0', ...NOBODY], {});
      processes.push(refused);
      expect(await refused.exited()).toBe(2);
      expect(refused.output()).toMatch(/^gauntlet: the database is of a newer version \(\d+\) .* a backup/m);
      // And a run that was begun in a protocol which this one does not speak.
      const foreign = join(folder, 'foreign');
      const created = startGauntlet(['run', 'create', '--data', foreign, '--preset', 'micro'], ofVersion('next'));
      processes.push(created);
      expect(await created.exited()).toBe(0);
      const tooOld = startGauntlet(['start', '--data', foreign, '--port', '0', ...NOBODY], {});
      processes.push(tooOld);
      expect(await tooOld.exited()).toBe(2);
      expect(tooOld.output()).toMatch(/^gauntlet: The run is of protocol 2, and this program speaks 1\. Use a newer/m);
    },
    TIMEOUT_MS,
  );
});

const available = findSharedPlaces();

describe.skipIf(!available)('shared by several processes', () => {
  let postgres: PostgresServer;
  let store: ObjectStoreServer;
  beforeAll(async () => {
    [postgres, store] = await Promise.all([startPostgres(), startObjectStore()]);
  }, 180_000);
  afterAll(async () => {
    await Promise.all([postgres.stop(), store.stop()]);
  }, 60_000);

  it(
    'it goes on while processes are replaced one by one, across a new protocol and new tables',
    async () => {
      const environment = { ...(await placesAt('upgrade', postgres, store)), GAUNTLET_LOG: 'info' };
      const data = join(folder, 'shared');
      await writeTestRun(data, undefined, undefined, placesOf(environment), WINDOW);
      const start = (args: readonly string[], version?: OtherVersion): GauntletProcess => {
        const started = startGauntlet(args, { ...environment, ...(version ? ofVersion(version) : {}) });
        processes.push(started);
        return started;
      };
      const DRIVE = ['start', '--data', data, '--port', '0', ...NOBODY];
      const ANSWER = ['api', '--data', data, '--port', '0'];
      const leads = /this process drives the windows now/;
      const answersAt = async (process: GauntletProcess): Promise<string> =>
        (await process.said(/answering at (http:\S+)/))[1]!;

      const oldDriver = start(DRIVE);
      const oldApi = start(ANSWER);
      let answering = await answersAt(oldApi);
      await oldDriver.said(leads);

      // As a proxy would: peers know one address, behind which processes come and go.
      const front = 'http://run.test';
      let atStore: (() => Promise<void>) | undefined;
      const through: typeof fetch = async (input, init) => {
        const asked = addressOf(input);
        if (init?.method === 'PUT' && asked.startsWith(environment.BLOBS_URL)) await atStore?.();
        return fetch(asked.startsWith(front) ? answering + asked.slice(front.length) : asked, init);
      };
      const peers = [await contribute(front, 'a', through), await contribute(front, 'b', through)];
      const api = createValidatorApi({ baseUrl: front, fetch: through });
      await expect.poll(() => published(api), LONG).toBeGreaterThanOrEqual(1);

      // The new one comes to the same database, and waits for its turn; the old ones go on.
      const newDriver = start(DRIVE, 'next');
      const newApi = start(ANSWER, 'next');
      const newAddress = await answersAt(newApi);
      await newDriver.said(/Open http/);
      const before = await published(api);
      await expect.poll(() => published(api), LONG).toBeGreaterThan(before);
      expect(newDriver.output()).not.toMatch(leads);

      // One that would take away what the old ones use is refused for as long as they are there.
      const tooEarly = start(DRIVE, 'later');
      expect(await tooEarly.exited()).toBe(2);
      expect(tooEarly.output()).toMatch(/gauntlet: 2 of the processes at this run are of a version that cannot work/);

      // With tickets of the old ones in hand, peers meet the new ones.
      const receiptsBefore = peers.map(({ receipts }) => receipts().length);
      let replaced: Promise<void> | undefined;
      let replacedIn = 0;
      atStore = () =>
        (replaced ??= (async () => {
          replacedIn = (await api.clock()).window;
          answering = newAddress;
          expect(await Promise.all([oldDriver.interrupt(), oldApi.interrupt()])).toEqual([0, 0]);
          await newDriver.said(leads);
        })());
      await expect.poll(() => replaced !== undefined, LONG).toBe(true);
      await replaced;
      atStore = undefined;
      await expect.poll(() => published(api), LONG).toBeGreaterThan(replacedIn);
      for (const [i, { receipts }] of peers.entries()) expect(receipts().length).toBeGreaterThan(receiptsBefore[i]!);
      expect(peers.flatMap(({ receipts }) => receipts()).some(({ window }) => window === replacedIn)).toBe(true);
      await expectNothingLost(api, peers);

      // The run stays what it began as; who speaks something else only is told so.
      const document: unknown = await (await through(`${front}/openapi.json`)).json();
      expect(document).toMatchObject({ 'x-gauntlet-protocol': { run: 1, spoken: { oldest: 1, newest: 2 } } });
      const foreign = { method: 'POST', headers: { 'gauntlet-protocol': '2' }, body: '{}' };
      const refused = await through(`${front}/v1/peers`, foreign);
      expect(refused.headers.get('gauntlet-protocol')).toBe('1');
      expect(await refused.json()).toMatchObject({ type: '/problems/unsupported-protocol', status: 409 });

      // Judged by two versions, recomputed by the older one.
      const through_ = String(await published(api));
      const audit = start(['audit', '--url', answering, '--window', '1', '--through', through_]);
      expect(await audit.exited(), audit.output()).toBe(0);

      // Now that the old ones are gone, what only they used may go as well; they come back to nothing.
      const later = start(ANSWER, 'later');
      await later.said(/answering at/);
      const contracted = await published(api);
      await expect.poll(() => published(api), LONG).toBeGreaterThan(contracted);
      const tooLate = start(ANSWER);
      expect(await tooLate.exited()).toBe(2);
      expect(tooLate.output()).toMatch(/gauntlet: the database is of a newer version \(\d+\)/);
      for (const each of [newDriver, newApi, later]) expect(await each.interrupt()).toBe(0);
    },
    TIMEOUT_MS,
  );
});
