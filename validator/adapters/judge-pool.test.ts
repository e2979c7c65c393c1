import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameterLayout } from '../../core/model/layout.ts';
import { PRESETS } from '../../core/model/presets.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { WindowRecord } from '../../core/protocol/api.ts';
import { createNodeEvaluator } from '../../engine/node.ts';
import { createApp } from '../http/app.ts';
import { createLocalJudgeEngine } from '../rounds/local-judge-engine.ts';
import { loadParameters } from '../rounds/parameters.ts';
import type { JudgedRun, JudgeEngine, JudgeEngineFactory } from '../rounds/ports.ts';
import { createJudgePool, JudgeThreadLostError, poolSize, type JudgePoolOptions } from './judge-pool.ts';
import { listen } from './node-server.ts';
import { nodeDigest } from './run-folder.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  noiseGradient,
  openTestRun,
  testPeer,
  type OpenTestRun,
} from './testing/test-run.ts';

const [alice, bob, mallory] = ['alice', 'bob', 'mallory'].map((name) => testPeer(name)) as [
  ReturnType<typeof testPeer>,
  ReturnType<typeof testPeer>,
  ReturnType<typeof testPeer>,
];

let dir: string;
let clock: FakeClock;
let run: OpenTestRun | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'judge-pool-'));
  clock = new FakeClock();
});
afterEach(async () => {
  await run?.rounds.stop();
  await run?.close();
  run = undefined;
  await rm(dir, { recursive: true });
});

async function open(createJudgeEngine?: JudgeEngineFactory): Promise<OpenTestRun> {
  const folder = await mkdtemp(join(dir, 'run-'));
  await createTestRun(folder);
  clock = new FakeClock();
  run = await openTestRun(folder, clock, undefined, createJudgeEngine);
  return run;
}

const pool =
  (options: Partial<JudgePoolOptions> = {}): JudgeEngineFactory =>
  (judged) =>
    createJudgePool(judged, { lanes: 1, intraOpThreads: 1, ...options });

/** Alice and bob train, mallory sends noise; the window is judged by `close`. */
async function deliverAll(opened: OpenTestRun): Promise<void> {
  const { rounds } = opened;
  for (const peer of [alice, bob, mallory]) await rounds.join(await joinRequest(rounds.clock().run, peer));
  clock.moveTo(rounds.clock().putOpensAt);
  for (const peer of [alice, bob]) await deliver(opened, peer, await contributionOf(opened, peer));
  const gradient = noiseGradient(`noise ${rounds.clock().window}`);
  await deliver(opened, mallory, await contributionOf(opened, mallory, { gradient }));
  clock.moveTo(rounds.clock().putClosesAt);
}

async function twoWindows(createJudgeEngine?: JudgeEngineFactory): Promise<WindowRecord[]> {
  const opened = await open(createJudgeEngine);
  for (let window = 1; window <= 2; window++) {
    await deliverAll(opened);
    await opened.rounds.closeWindow();
  }
  const records = [await opened.rounds.window(1), await opened.rounds.window(2)];
  await opened.rounds.stop();
  await opened.close();
  run = undefined;
  return records;
}

it('judges to the same bits as one thread does, losses, steps and roots, whatever the number of lanes', async () => {
  const expected = await twoWindows();
  expect(expected.map(({ evaluated }) => evaluated.length)).toEqual([3, 3]);
  expect(await twoWindows(pool())).toEqual(expected);
  expect(await twoWindows(pool({ lanes: 3 }))).toEqual(expected);
});

/** A pool whose threads stand still while the gate is shut. */
function heldPool(): {
  createJudgeEngine: JudgeEngineFactory;
  shut(): void;
  /** Resolves once a call stands still. */
  standing(): Promise<void>;
  open(): void;
  threads: Worker[];
} {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const threads: Worker[] = [];
  return {
    threads,
    createJudgeEngine: pool({
      spawn(data) {
        const script = new URL('./testing/held-judge-thread.mjs', import.meta.url);
        const worker = new Worker(script, { workerData: { ...data, gate }, execArgv: [] });
        threads.push(worker);
        return worker;
      },
    }),
    shut: () => void Atomics.store(gate, 0, 1),
    async standing() {
      while (Atomics.load(gate, 1) === 0) await delay(5);
    },
    open() {
      Atomics.store(gate, 0, 0);
      Atomics.notify(gate, 0);
    },
  };
}

it('leaves the server free: requests are answered while the judge’s thread cannot go on', async () => {
  const held = heldPool();
  const { rounds, folder } = await open(held.createJudgeEngine);
  await deliverAll(run!);
  const api = createApp({
    service: rounds,
    blobs: folder.blobs,
    corsOrigins: '*',
    onError: () => undefined,
  });
  const server = await listen(api.app, { port: 0, host: '127.0.0.1' });
  try {
    held.shut();
    let published = false;
    const closing = rounds.closeWindow().finally(() => {
      published = true;
    });
    const phases: unknown[] = [];
    for (let request = 0; request < 20; request++) {
      const response = await fetch(`${server.url}/v1/clock`);
      phases.push(((await response.json()) as { phase: string }).phase);
    }
    expect(published).toBe(false);
    expect(phases).toEqual(new Array(20).fill('judge'));
    held.open();
    await closing;
    expect(rounds.clock().window).toBe(2);
  } finally {
    held.open();
    api.close();
    await server.close();
  }
});

it('a thread that dies fails the judgement with a typed error, and judging again gives what it would have', async () => {
  const [undisturbed] = await twoWindows();
  const held = heldPool();
  const { rounds } = await open(held.createJudgeEngine);
  await deliverAll(run!);
  held.shut();
  const closing = expect(rounds.closeWindow()).rejects.toBeInstanceOf(JudgeThreadLostError);
  // Before that there is no call that could be lost with it.
  await held.standing();
  expect(held.threads).toHaveLength(1);
  await held.threads[0]!.terminate();
  await closing;
  expect(rounds.clock()).toMatchObject({ window: 1, phase: 'judge' });
  held.open();
  await rounds.closeWindow();
  expect(held.threads).toHaveLength(2);
  expect(await rounds.window(1)).toEqual(undisturbed);
});

describe.each<[string, JudgeEngineFactory]>([
  [
    'in this thread',
    (judged) =>
      createLocalJudgeEngine(judged, {
        createEvaluator: (options) => createNodeEvaluator({ ...options, intraOpThreads: 1 }),
        digest: nodeDigest,
      }),
  ],
  ['on threads', pool({ lanes: 2 })],
])('a judge engine %s', (_where, create) => {
  let engine: JudgeEngine;
  let judged: JudgedRun;
  let pages: Uint8Array<ArrayBuffer>[];
  let parameters: Float32Array<ArrayBuffer>;

  beforeEach(async () => {
    const { rounds, folder } = await open();
    const { context } = rounds;
    judged = context;
    parameters = await loadParameters(context, folder, rounds.clock().stateRoot);
    pages = await Promise.all([0, 1, 2].map(async (page) => (await folder.blobs.read(context.pages.hashes[page]!))!));
    engine = create(judged);
  });
  afterEach(() => engine.dispose());

  const theirs = async (): Promise<{ bytes: Uint8Array<ArrayBuffer>; sessionKey: string }> => ({
    bytes: await contributionOf(run!, alice),
    sessionKey: Buffer.from(alice.signer.publicKey).toString('hex'),
  });

  it('measures a trial and θ again as if there had been none, also when the trial fails in the middle', async () => {
    const state = { root: run!.rounds.clock().stateRoot, parameters };
    await engine.use(state);
    const before = await engine.losses(pages);
    const trial = { contribution: await theirs(), stepSize: Math.fround(1e-3), clipNorms: null };
    const after = await engine.losses(pages, trial);
    expect(after.map(({ sum }) => sum)).not.toEqual(before.map(({ sum }) => sum));
    expect(await engine.losses(pages)).toEqual(before);
    // Each page's loss is its own, whatever it is measured with.
    expect(await engine.losses([pages[2]!, pages[0]!])).toEqual([before[2], before[0]]);
    const broken = [pages[0]!, pages[1]!.slice(1)];
    await expect(engine.losses(broken, { ...trial, contribution: await theirs() })).rejects.toThrow('a page has');
    expect(await engine.losses(pages)).toEqual(before);
  });

  it('goes on from the parameters that it advanced to, and goes back when it is told', async () => {
    const state = { root: run!.rounds.clock().stateRoot, parameters };
    await engine.use(state);
    const before = await engine.losses(pages);
    const given = parameters.slice();
    const first = await engine.advance(1, [await theirs()]);
    expect(parameters).toEqual(given);
    const after = await engine.losses(pages);
    expect(after).not.toEqual(before);
    // All lanes at once: each has followed.
    expect(await Promise.all([engine.losses(pages), engine.losses(pages)])).toEqual([after, after]);
    await engine.use(state);
    expect(await Promise.all([engine.losses(pages), engine.losses(pages)])).toEqual([before, before]);
    const again = await engine.advance(1, [await theirs()]);
    expect(again).toEqual(first);
  });

  it('compares contributions without parameters', async () => {
    const search = { beacon: new Uint8Array(32), least: 0.4 };
    const measured = [await engine.measure(await theirs(), search), await engine.measure(await theirs(), search)];
    // Decoupled momentum has unit norms and nothing to clip to.
    expect(measured.map(({ norms }) => norms)).toEqual([null, null]);
    const pairs = await engine.suspects(
      measured.map(({ sketch }) => sketch!),
      search,
    );
    expect(pairs).toEqual([[1, 0]]);
    const [same] = await engine.overlaps([await theirs(), await theirs()], pairs);
    expect(same).toBeCloseTo(1, 12);
    expect(await engine.measure(await theirs(), null)).toEqual({ norms: null, sketch: null });
  });

  it('says what is wrong with a contribution in the protocol’s words', async () => {
    expect(await engine.inspect(await theirs())).toMatchObject({ hotkey: alice.hotkey, window: 1 });
    const { bytes } = await theirs();
    const refused = engine.inspect({ bytes, sessionKey: Buffer.from(bob.signer.publicKey).toString('hex') });
    await expect(refused).rejects.toBeInstanceOf(ProblemError);
    await expect(refused).rejects.toMatchObject({ key: 'wrong-signature' });
    expect(await engine.inspect(await theirs())).toMatchObject({ hotkey: alice.hotkey });
  });

  it('has to be given parameters, and can do nothing once disposed', async () => {
    await expect(engine.losses(pages)).rejects.toThrow('given no parameters');
    await engine.use({ root: 'any', parameters });
    await engine.losses(pages);
    await engine.dispose();
    await expect(engine.losses(pages)).rejects.toThrow('disposed');
    await engine.dispose();
  });
});

it('has a lane a core, as far as evaluations and memory go', () => {
  const manifest = { ...PRESETS.base, model: PRESETS.base.model } as unknown as JudgedRun['manifest'];
  const judged = { run: '', manifest };
  const GIB = 2 ** 30;
  expect(poolSize(judged, 1, 64 * GIB)).toEqual({ lanes: 1, intraOpThreads: 1 });
  expect(poolSize(judged, 2, 64 * GIB)).toEqual({ lanes: 2, intraOpThreads: 1 });
  expect(poolSize(judged, 16, 64 * GIB)).toEqual({ lanes: 5, intraOpThreads: 3 });
  expect(poolSize(judged, 16, 2 * GIB)).toEqual({ lanes: 1, intraOpThreads: 16 });
  const { total } = parameterLayout(PRESETS.base.model);
  for (const memory of [8 * GIB, 16 * GIB]) {
    const { lanes } = poolSize(judged, 16, memory);
    expect(lanes * total * 8).toBeLessThan(memory / 2);
  }
});
