import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunFolder } from '../adapters/run-folder.ts';
import {
  contributionOf,
  copyRun,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  noiseGradient,
  openTestRun,
  testPeer,
  type OpenTestRun,
} from '../adapters/testing/test-run.ts';
import type { StagedUpload } from './ports.ts';

const peers = ['alice', 'bob', 'mallory'].map((name) => testPeer(name));
/** The window in which the kills come; a checkpoint is written in it. */
const WINDOW = 2;

class Killed extends Error {
  override readonly name = 'Killed';
}

/** Calls that change nothing on the disk: dying before one is dying before the next that does. */
const READS =
  /^(run|openWindow|record|summaries|checkpoint|peer|peers|delegatedAt|verdicts|history|receipts|contributions?|size|read|stream|bytes|close)$/;

type Stroke =
  /** Before the chosen call the process dies, and does nothing more. */
  | 'death'
  /** The chosen call does its work, and then nobody hears of it: a connection is cut, a disk complains late. */
  | 'lost answer';

/** Counts the calls that change something, and strikes at the chosen one. */
class Fate {
  calls = 0;
  /** The call whose answer was lost. */
  struck: string | undefined;
  readonly #at: number;
  readonly #stroke: Stroke;
  readonly #staged: StagedUpload[] = [];

  constructor(at: number, stroke: Stroke = 'death') {
    this.#at = at;
    this.#stroke = stroke;
  }

  /** A port whose every change may be prevented by death. */
  bind<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return async (...parameters: unknown[]) => {
          const changes = !READS.test(String(key));
          if (changes) this.calls++;
          if (this.#stroke === 'death' && this.calls >= this.#at) throw new Killed();
          const result: unknown = await Reflect.apply(member, target, parameters);
          // The handle of a file is no answer that could be lost.
          if (this.#stroke === 'lost answer' && changes && this.calls === this.#at && key !== 'begin') {
            this.struck = String(key);
            throw new Error(`the answer of ${this.struck} was lost`);
          }
          if (key !== 'begin') return result;
          this.#staged.push(result as StagedUpload);
          return this.bind(result as StagedUpload);
        };
      },
    });
  }

  /** What the system does with a dead process's open files. */
  async bury(): Promise<void> {
    for (const staged of this.#staged) await staged.discard();
  }

  readonly wrap = (folder: RunFolder): RunFolder => ({
    ...folder,
    store: this.bind(folder.store),
    blobs: this.bind(folder.blobs),
    uploads: this.bind(folder.uploads),
  });
}

/** Contributions by window: a peer keeps what it made, and training once is enough for all the kills. */
const made = new Map<string, Uint8Array<ArrayBuffer>>();

async function madeContribution(run: OpenTestRun, peer: (typeof peers)[number]): Promise<Uint8Array<ArrayBuffer>> {
  const { window, stateRoot } = run.rounds.clock();
  const key = `${window} ${stateRoot} ${peer.hotkey}`;
  const change = peer === peers[2] ? { gradient: noiseGradient(`noise ${window}`) } : {};
  const bytes = made.get(key) ?? (await contributionOf(run, peer, change));
  made.set(key, bytes);
  return bytes;
}

/** What everybody does until `WINDOW` is published; doing it again from anywhere is what a restart amounts to. */
async function play(run: OpenTestRun, clock: FakeClock, until: number): Promise<void> {
  while (run.rounds.clock().window <= until) {
    if (run.rounds.clock().phase === 'train') clock.moveTo(run.rounds.clock().putOpensAt);
    if (run.rounds.clock().phase === 'put') {
      for (const peer of peers) {
        await run.rounds.join(await joinRequest(run.rounds.clock().run, peer));
        await deliver(run, peer, await madeContribution(run, peer));
      }
    }
    await run.rounds.closeWindow();
  }
}

/** Everything that must come out the same. */
async function outcome({ rounds }: OpenTestRun): Promise<unknown> {
  const { opensAt, putOpensAt, putClosesAt, publishedAt, ...record } = await rounds.window(WINDOW);
  expect([opensAt, putOpensAt, putClosesAt, publishedAt]).not.toContain(null);
  const { assignmentSeed, stateRoot } = rounds.clock();
  return {
    record,
    next: { assignmentSeed, stateRoot },
    checkpoint: await rounds.checkpoint(),
    peers: await Promise.all(peers.map(({ hotkey }) => rounds.peer(hotkey))),
  };
}

let base: string;
let origin: string;
let expected: unknown;
let calls: number;

async function fork(): Promise<string> {
  const dir = await mkdtemp(join(base, 'fork-'));
  copyRun(origin, dir);
  return dir;
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'kill-'));
  origin = join(base, 'origin');
  await createTestRun(origin);
  const clock = new FakeClock();
  const first = await openTestRun(origin, clock);
  await play(first, clock, WINDOW - 1);
  await first.close();
  const { time } = clock;

  const undisturbed = await openTestRun(await fork(), clock);
  await play(undisturbed, clock, WINDOW);
  clock.moveTo(time);
  expected = await outcome(undisturbed);
  await undisturbed.close();

  const counted = new Fate(Infinity);
  const counting = await openTestRun(await fork(), clock, counted.wrap);
  await play(counting, clock, WINDOW);
  await counting.close();
  calls = counted.calls;
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function killedAt(at: number): Promise<void> {
  const dir = await fork();
  const clock = new FakeClock();
  const fate = new Fate(at);
  // Opening may be what is killed; the folder is closed then.
  const doomed = await openTestRun(dir, clock, fate.wrap).catch((error: unknown) => {
    expect(error).toBeInstanceOf(Killed);
    return undefined;
  });
  if (doomed) {
    await expect(play(doomed, clock, WINDOW), `change ${at}`).rejects.toBeInstanceOf(Killed);
    await doomed.close();
  }
  const reborn = await openTestRun(dir, clock);
  await fate.bury();
  await play(reborn, clock, WINDOW);
  expect(await outcome(reborn), `killed before change ${at}`).toEqual(expected);
  await reborn.close();
  const left = await readdir(join(dir, 'uploads'), { recursive: true, withFileTypes: true });
  const names = left.filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(names, `killed before change ${at}`).toEqual([]);
  await rm(dir, { recursive: true });
}

it('a kill before any change to store, blobs or uploads loses nothing and counts nothing twice', async () => {
  expect(calls).toBeGreaterThan(25);
  for (let at = 1; at <= calls; at++) await killedAt(at);
}, 120_000);

/** To end what hangs. */
const PATIENCE_MS = 60_000;

/** As peers and a validator do: whatever fails is tried again. The time moves on only while the validator waits for it. */
async function playOn(run: OpenTestRun, clock: FakeClock, until: number): Promise<void> {
  const { rounds } = run;
  const insist = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch(work);
  };
  rounds.start();
  const end = Date.now() + PATIENCE_MS;
  while (rounds.clock().window <= until && Date.now() < end) {
    if (rounds.clock().phase === 'train') clock.moveTo(rounds.clock().putOpensAt);
    if (rounds.clock().phase === 'put') {
      for (const peer of peers) {
        await insist(async () => rounds.join(await joinRequest(rounds.clock().run, peer)));
        await insist(async () => deliver(run, peer, await madeContribution(run, peer)));
      }
      clock.moveTo(rounds.clock().putClosesAt);
    } else if (clock.wakesAt !== undefined) clock.moveTo(clock.wakesAt);
    await sleep(5);
  }
  expect(rounds.clock().window).toBe(until + 1);
  await expect.poll(() => rounds.unready()).toBeUndefined();
  await rounds.stop();
}

it('an answer that is lost after any change neither stops the run nor changes it', async () => {
  const struck = new Set<string | undefined>();
  for (let at = 1; at <= calls; at++) {
    const dir = await fork();
    const clock = new FakeClock();
    const fate = new Fate(at, 'lost answer');
    // Opening may be what fails; an operator opens it again.
    const run = await openTestRun(dir, clock, fate.wrap).catch(() => openTestRun(dir, clock));
    await playOn(run, clock, WINDOW);
    expect(await outcome(run), `${fate.struck}, change ${at}`).toEqual(expected);
    await run.close();
    await rm(dir, { recursive: true });
    struck.add(fate.struck);
  }
  expect([...struck]).toEqual(
    expect.arrayContaining(['join', 'issueTicket', 'accept', 'markJudging', 'closeWindow', 'put', 'seal', 'publish']),
  );
}, 120_000);
