/**
 * Nothing lost, nothing counted twice. A run of real processes is disturbed at random (kill -9 in every phase, torn files, a
 * disk that is full, read-only or slow, a clock that jumps, connections cut in the middle of a body, a database and a store
 * that restart) and has to come to what the same uploads come to undisturbed. `NIGHTLY=1` kills 200 times.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyHex } from '../../core/identity/signing.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { createRandom, seedFrom, type Random } from '../../core/numerics/prng.ts';
import type { LeaderboardEntry, SignedReceipt, WindowRecord } from '../../core/protocol/api.ts';
import { placesOf } from '../../validator/adapters/places.ts';
import {
  findSharedPlaces,
  placesAt,
  startObjectStore,
  startPostgres,
} from '../../validator/adapters/testing/servers.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  noiseGradient,
  openTestRun,
  START,
  testPeer,
  ticketRequest,
  writeTestRun,
  type TestPeer,
} from '../../validator/adapters/testing/test-run.ts';
import { buildServer, count, createVictim, type Tally, type Victim } from './victim.ts';

const NIGHTLY = process.env['NIGHTLY'] === '1';
/** Three kills each: in the train phase, in the put phase, and while it is judged. */
const WINDOWS = NIGHTLY ? 70 : 7;
const SHARED_WINDOWS = NIGHTLY ? 12 : 2;
const SEED = process.env['CRASH_SEED'] ?? 'crash';
const FAULTY = { refused: 0.02, unanswered: 0.01, slow: 0.2 };
const HOUR_MS = 3_600_000;
/** Real time that a start and all of a window's work fit into: kills come anywhere in it. */
const SOON_MS = 400;
/** To end what hangs; the machine may be busy. */
const PATIENCE_MS = NIGHTLY ? 600_000 : 120_000;

const folders: string[] = [];
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crash-'));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}, 120_000);

let server: string;
beforeAll(async () => {
  server = await buildServer();
});

/** Who uploads what in a window. */
type Uploads = ReadonlyMap<TestPeer, Uint8Array<ArrayBuffer>>;

interface Reference {
  /** In the order of the windows. */
  readonly uploads: readonly Uploads[];
  readonly outcome: Outcome;
}

interface Outcome {
  readonly records: readonly Pick<
    WindowRecord,
    'window' | 'stateRoot' | 'lossBefore' | 'lossAfter' | 'evaluated' | 'aggregated' | 'beacon' | 'outerStep'
  >[];
  readonly peers: readonly LeaderboardEntry[];
}

/** Whoever joined in which window; the last one some windows later. */
const PEERS = ['alice', 'bob', 'mallory', 'dave'].map((name, i) => ({ peer: testPeer(name), since: i < 3 ? 1 : 3 }));

const comparable = ({ window, stateRoot, lossBefore, lossAfter, evaluated, aggregated, beacon, outerStep }: WindowRecord) =>
  ({ window, stateRoot, lossBefore, lossAfter, evaluated, aggregated, beacon, outerStep }); // prettier-ignore

/** The same run, left in peace. */
async function undisturbed(windows: number): Promise<Reference> {
  const data = join(await temporary(), 'run');
  await createTestRun(data);
  const clock = new FakeClock();
  const run = await openTestRun(data, clock);
  const { rounds } = run;
  const uploads: Uploads[] = [];
  const records: WindowRecord[] = [];
  for (let window = 1; window <= windows; window++) {
    const present = PEERS.filter(({ since }) => since <= window);
    for (const { peer, since } of present) {
      if (since === window) await rounds.join(await joinRequest(rounds.clock().run, peer));
    }
    const made = new Map<TestPeer, Uint8Array<ArrayBuffer>>();
    for (const { peer } of present) {
      const change = peer === PEERS[2]!.peer ? { gradient: noiseGradient(String(window)) } : {};
      made.set(peer, await contributionOf(run, peer, change));
    }
    clock.moveTo(rounds.clock().putOpensAt);
    for (const [peer, bytes] of made) await deliver(run, peer, bytes);
    await rounds.closeWindow();
    uploads.push(made);
    records.push(await rounds.window(window));
  }
  const { peers } = await rounds.leaderboard();
  await run.close();
  return { uploads, outcome: { records: records.map(comparable), peers } };
}

/** Of the run that is disturbed now. */
let complaints: readonly string[] = [];

/** What a peer says of an attempt that failed: it tries again, as long as that makes sense. */
async function insist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) {
        throw new Error([`${what} did not come about`, ...complaints].join('\n'), { cause: error });
      }
      await sleep(15);
    }
  }
}

/** Half a body, and then the line is cut. */
async function cutOff(url: string, bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  await new Promise<void>((resolve) => {
    const upload = request(url, { method: 'PUT', headers: { ...headers, 'content-length': bytes.length } });
    upload.on('error', () => resolve());
    upload.on('response', () => resolve());
    upload.write(bytes.subarray(0, bytes.length / 2), () => upload.destroy());
  });
}

interface Disturbance {
  readonly victim: Victim;
  readonly random: Random;
  readonly receipts: SignedReceipt[];
}

async function upload(
  { victim, random, receipts }: Disturbance,
  peer: TestPeer,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await insist(`an upload of ${peer.hotkey}`, async () => {
    const api = await victim.api();
    const clock = await api.clock();
    if (clock.phase === 'train') victim.setTime(Date.parse(clock.putOpensAt));
    const ticket = await api.ticket(await ticketRequest(clock, peer, bytes));
    if (random.uniform() < 0.3) {
      const { url, headers } = ticket.store ?? { url: new URL(ticket.url, api.url).href };
      await cutOff(url, bytes, headers);
      count(victim.faults, ticket.store ? 'body cut on its way to the store' : 'body cut');
    }
    receipts.push(await api.upload(ticket, bytes));
  });
}

/**
 * Moves the time to whatever the process waits for, until the window is published. Never while it works: on a busy
 * machine the next window would be over before anybody heard that it had begun.
 */
async function publish({ victim }: Disturbance, window: number, missing: () => Promise<void>): Promise<void> {
  await insist(`the publication of window ${window}`, async () => {
    const { waitsUntil } = victim;
    const api = await victim.api();
    const clock = await api.clock();
    if (clock.window > window) return;
    if (clock.phase === 'train') {
      // It was down when the put phase ended: the window has a new one.
      victim.setTime(Date.parse(clock.putOpensAt));
      await missing();
    } else if (waitsUntil !== undefined && waitsUntil > victim.time) victim.setTime(waitsUntil);
    throw new Error(`it is in phase ${clock.phase}`);
  });
}

interface DisturbedOptions {
  readonly data: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What happens around the process in each window. @returns what it was */
  readonly outage?: (window: number) => Promise<string>;
}

async function disturbed(reference: Reference, { data, environment, outage }: DisturbedOptions) {
  const random = createRandom(seedFrom(SEED));
  const victim = createVictim(server, data, START + HOUR_MS, random, environment);
  complaints = victim.complaints;
  const state: Disturbance = { victim, random, receipts: [] };
  for (const [i, uploads] of reference.uploads.entries()) {
    const window = i + 1;
    victim.setFaults(random.uniform() < 0.5 ? FAULTY : { refused: 0, unanswered: 0, slow: 0 });
    // A clock that is set back: the put phase is further away than it was.
    if (random.uniform() < 0.5) victim.setTime(Math.max(START, victim.time - random.below(2 * HOUR_MS)));
    const { run } = await insist('the clock', async () => (await victim.api()).clock());
    let killed = victim.killIn(random.below(SOON_MS));
    const around = outage?.(window).then((what) => count(victim.faults, what));
    for (const { peer, since } of PEERS) {
      if (since === window) await insist('a join', async () => (await victim.api()).join(await joinRequest(run, peer)));
    }
    const all = async (): Promise<void> => {
      await Promise.all([...uploads].map(([peer, bytes]) => upload(state, peer, bytes)));
    };
    const { putOpensAt } = await insist('the clock', async () => (await victim.api()).clock());
    await killed;
    victim.setTime(Math.max(victim.time, Date.parse(putOpensAt)));
    killed = victim.killIn(random.below(SOON_MS));
    await all();
    await Promise.all([killed, around]);
    // And one that jumps ahead, over the end of the put phase and beyond.
    const { putClosesAt } = await insist('the clock', async () => (await victim.api()).clock());
    const ahead = random.uniform() < 0.3 ? random.below(HOUR_MS) : 1;
    if (ahead > 1) count(victim.faults, 'clock set ahead');
    victim.setTime(Date.parse(putClosesAt) + ahead);
    killed = victim.killIn(random.below(SOON_MS));
    await publish(state, window, all);
    await killed;
    const record = await insist('the record', async () => (await victim.api()).window(window));
    expect(comparable(record)).toEqual(reference.outcome.records[i]);
  }
  victim.setFaults({ refused: 0, unanswered: 0, slow: 0 });
  const api = await victim.api();
  const windows = reference.uploads.length;
  const records = await Promise.all(
    Array.from({ length: windows }, (_, i) => insist('a record', () => api.window(i + 1))),
  );
  const { peers } = await insist('the leaderboard', () => api.leaderboard());
  const states = await Promise.all(peers.map(({ hotkey }) => insist('a peer', () => api.peer(hotkey))));
  const { manifest } = await insist('the manifest', () => api.run());
  const published = await insist('the windows', () => api.windows(1, 1_000));
  await victim.kill();
  return {
    outcome: { records: records.map(comparable), peers },
    records,
    states,
    published,
    manifest,
    victim,
    receipts: state.receipts,
  };
}

function expectNothingLost(reference: Reference, result: Awaited<ReturnType<typeof disturbed>>): void {
  const { outcome, records, states, published, manifest, receipts } = result;
  expect(outcome.records).toEqual(reference.outcome.records);
  const withoutPlace = (peers: readonly LeaderboardEntry[]) =>
    [...peers].sort((a, b) => (a.hotkey < b.hotkey ? -1 : 1));
  expect(withoutPlace(outcome.peers)).toEqual(withoutPlace(reference.outcome.peers));
  expect(published.map(({ window }) => window)).toEqual(reference.uploads.map((_, i) => i + 1));
  expect(receipts.length).toBeGreaterThanOrEqual(reference.uploads.reduce((sum, { size }) => sum + size, 0));
  const taken = new Set(
    records.flatMap(({ window, contributions }) =>
      contributions.map(({ hotkey, sha256 }) => `${window} ${hotkey} ${sha256}`),
    ),
  );
  for (const { receipt, signature } of receipts) {
    expect(verifyHex('receipt', canonicalBytes(receipt), signature, manifest.validator.publicKey)).toBe(true);
    expect(taken).toContain(`${receipt.window} ${receipt.hotkey} ${receipt.sha256}`);
  }
  const accepted = states.reduce((sum, { contributions }) => sum + contributions.accepted, 0);
  expect(accepted).toBe(records.reduce((sum, { contributions }) => sum + contributions.length, 0));
}

const sum = (tally: Tally): number => [...tally.values()].reduce((a, b) => a + b, 0);

/** For the record of a night. */
function print(windows: number, { victim: { kills, faults }, receipts }: Awaited<ReturnType<typeof disturbed>>): void {
  const list = (tally: Tally): string =>
    [...tally].sort().map(([what, times]) => `  ${times} ${what}`).join('\n'); // prettier-ignore
  console.log(
    `seed ${SEED}: ${windows} windows, ${receipts.length} receipts, none lost\n` +
      `${sum(kills)} kills, by what it was at:\n${list(kills)}\n${sum(faults)} faults:\n${list(faults)}`,
  );
}

const TIMEOUT_MS = NIGHTLY ? 4 * HOUR_MS : 600_000;

it(
  'a run that is killed, starved and confused comes to what it comes to in peace',
  async () => {
    const reference = await undisturbed(WINDOWS);
    const data = join(await temporary(), 'run');
    await createTestRun(data);
    const result = await disturbed(reference, { data });
    expectNothingLost(reference, result);
    print(WINDOWS, result);
    expect(sum(result.victim.kills)).toBeGreaterThanOrEqual(NIGHTLY ? 200 : 20);
    if (NIGHTLY) {
      for (const phase of ['start', 'train', 'put', 'judge', 'publish']) {
        expect([phase, result.victim.kills.get(phase) ?? 0]).not.toEqual([phase, 0]);
      }
    }
    // What it leaves is a run that opens as it is, with nothing of the past in the way.
    const reopened = await openTestRun(data, new FakeClock());
    expect(await reopened.folder.store.openWindow()).toMatchObject({ window: WINDOWS + 1 });
    await reopened.close();
  },
  TIMEOUT_MS,
);

const shared = findSharedPlaces();

describe.skipIf(!shared)('on PostgreSQL and an S3-compatible store', () => {
  it(
    'so does one whose database and store restart, too',
    async () => {
      const [reference, postgres, store] = await Promise.all([
        undisturbed(SHARED_WINDOWS),
        startPostgres(),
        startObjectStore(),
      ]);
      try {
        const environment = await placesAt('crash', postgres, store);
        const data = join(await temporary(), 'run');
        await writeTestRun(data, undefined, undefined, placesOf(environment));
        const outage = async (window: number): Promise<string> => {
          const [server, what] = window % 2 === 1 ? [postgres, 'database restarted'] : [store, 'store restarted'];
          await server.kill();
          await sleep(300);
          await server.start();
          return what;
        };
        const result = await disturbed(reference, { data, environment, outage });
        expectNothingLost(reference, result);
        print(SHARED_WINDOWS, result);
      } finally {
        await Promise.all([postgres.stop(), store.stop()]);
      }
    },
    TIMEOUT_MS,
  );
});

it('the reference is worth comparing with', async () => {
  const { outcome, uploads } = await undisturbed(3);
  expect(new Set(outcome.records.map(({ stateRoot }) => stateRoot)).size).toBe(3);
  expect(outcome.records.every(({ aggregated }) => aggregated.length > 0)).toBe(true);
  const hashes = uploads.flatMap((made) =>
    [...made.values()].map((bytes) => createHash('sha256').update(bytes).digest('hex')),
  );
  expect(new Set(hashes).size).toBe(hashes.length);
}, 60_000);
