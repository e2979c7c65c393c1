import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Counts the calls that change something; before the chosen one the process dies, and does nothing more. */
class Fate {
  calls = 0;
  readonly #at: number;
  readonly #staged: StagedUpload[] = [];

  constructor(at: number) {
    this.#at = at;
  }

  /** A port whose every change may be prevented by death. */
  bind<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return async (...parameters: unknown[]) => {
          if (!READS.test(String(key))) this.calls++;
          if (this.calls >= this.#at) throw new Killed();
          const result: unknown = await Reflect.apply(member, target, parameters);
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
