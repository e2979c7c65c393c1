import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyOuterStep } from '../../core/lockstep/outer-step.ts';
import { beaconCommit } from '../../core/gauntlet/beacon.ts';
import { syncPositions } from '../../core/gauntlet/sync.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { verifyHex } from '../../core/identity/signing.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import { WindowRecordSchema } from '../../core/protocol/api.ts';
import { REFERENCE_TEMPLAR } from '../../core/gauntlet/profiles/templar.ts';
import { contributionBody } from '../../core/wire/contribution.ts';
import { nodeDigest } from '../adapters/run-folder.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  noiseGradient,
  openTestRun,
  sharedEngine,
  START,
  testPeer,
  type OpenTestRun,
  type TestPeer,
} from '../adapters/testing/test-run.ts';
import { CorruptRunError } from './corrupt-run.ts';
import { loadParameters } from './parameters.ts';
import type { JudgeEngineFactory } from './ports.ts';

const alice = testPeer('alice');
const bob = testPeer('bob');
const mallory = testPeer('mallory');

let dir: string;
let clock: FakeClock;
let run: OpenTestRun;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rounds-'));
  clock = new FakeClock();
  await createTestRun(dir);
  run = await openTestRun(dir, clock);
});
afterEach(async () => {
  await run.close();
  await rm(dir, { recursive: true });
});

async function join3(): Promise<void> {
  for (const peer of [alice, bob, mallory]) await run.rounds.join(await joinRequest(run.rounds.clock().run, peer));
}

const toPut = (): void => {
  clock.moveTo(run.rounds.clock().putOpensAt);
};

/** One window in which alice and bob are honest and mallory sends noise. */
async function playWindow(): Promise<void> {
  toPut();
  for (const peer of [alice, bob]) await deliver(run, peer, await contributionOf(run, peer));
  const { window } = run.rounds.clock();
  const noise = { gradient: noiseGradient(`mallory ${window}`) };
  await deliver(run, mallory, await contributionOf(run, mallory, noise));
  clock.moveTo(run.rounds.clock().putClosesAt);
  await run.rounds.closeWindow();
}

async function reopen(): Promise<void> {
  await run.close();
  run = await openTestRun(dir, clock);
}

describe('a window', () => {
  it('goes through its phases by the clock', async () => {
    const { rounds } = run;
    expect(rounds.clock()).toMatchObject({ window: 1, phase: 'train', opensAt: new Date(START).toISOString() });
    clock.moveTo(START + 5_999);
    expect(rounds.clock().phase).toBe('train');
    clock.moveTo(START + 6_000);
    expect(rounds.clock().phase).toBe('put');
    clock.moveTo(START + 9_000);
    expect(rounds.clock().phase).toBe('judge');
    const phases: string[] = [];
    rounds.subscribe((event) =>
      phases.push(event.type === 'clock' ? `${event.clock.window} ${event.clock.phase}` : event.type),
    );
    await rounds.closeWindow();
    expect(phases).toEqual(['1 judge', '1 publish', 'window', 'leaderboard', '2 train']);
    expect(rounds.clock()).toMatchObject({
      window: 2,
      phase: 'train',
      putOpensAt: new Date(START + 15_000).toISOString(),
    });
  });

  it('goes on by itself, and says when it cannot', async () => {
    const { rounds } = run;
    expect(rounds.unready()).toMatch(/not running/);
    const published: number[] = [];
    const second = new Promise<void>((resolve) =>
      rounds.subscribe((event) => {
        if (event.type !== 'window') return;
        if (published.push(event.window.window) === 2) resolve();
      }),
    );
    rounds.start();
    const ticking = setInterval(() => {
      clock.moveTo(clock.time + 500);
    }, 1);
    await second;
    clearInterval(ticking);
    expect(rounds.unready()).toBeUndefined();
    await rounds.stop();
    expect(published).toEqual([1, 2]);
    expect(rounds.unready()).toMatch(/not running/);
  });

  it('that nobody delivers in moves nothing', async () => {
    const { stateRoot: root } = run.rounds.clock();
    await run.rounds.closeWindow();
    const record = await run.rounds.window(1);
    expect(record).toMatchObject({ participants: 0, aggregated: [], evaluated: [], stateRoot: root });
    expect(record.lossAfter).toBe(record.lossBefore);
    await reopen();
    expect(run.rounds.clock()).toMatchObject({ window: 2, stateRoot: root });
  });
});

describe('a judged window', () => {
  it('has the honest folded in, the loss lower and everything on record', async () => {
    await join3();
    const { beacon } = await run.rounds.window(1);
    await playWindow();
    const record = await run.rounds.window(1);
    expect(WindowRecordSchema.parse(record)).toEqual(record);
    expect(record.participants).toBe(3);
    expect(record.contributions.map(({ hotkey }) => hotkey)).toEqual([alice, bob, mallory].map((p) => p.hotkey).sort());
    expect(record.aggregated).toEqual(expect.arrayContaining([alice.hotkey, bob.hotkey]));
    expect(record.lossAfter!).toBeLessThan(record.lossBefore!);
    expect(beaconCommit(record.beacon.reveal!)).toBe(beacon.commit);

    const assigned = record.evaluated.flatMap((evaluation) => evaluation.assigned.pages);
    expect(record.evaluated).toHaveLength(3);
    for (const { random, rating } of record.evaluated) {
      expect(random.pages).toEqual(record.evaluated[0]!.random.pages);
      expect(random.pages.some((page) => assigned.includes(page))).toBe(false);
      expect(rating.before.ordinal).toBe(0);
    }
    const peer = await run.rounds.peer(alice.hotkey);
    expect(peer.contributions).toEqual({ accepted: 1, rejected: 0, evaluated: 1, aggregated: 1 });
    expect(peer.verdicts.map(({ check }) => check).reverse()).toEqual([
      'delivered',
      'in-time',
      'signature',
      'format',
      'finite',
      'model',
      'sync',
      'loss',
      'proof-of-computation',
    ]);
    expect(peer.history).toHaveLength(1);
    expect(peer.sync).toBe(1);
  });

  it('publishes a step that anyone can apply to arrive at the root', async () => {
    await join3();
    const before = await loadParameters(run.rounds.context, run.folder, run.rounds.clock().stateRoot);
    await playWindow();
    const { outerStep, stateRoot: root } = await run.rounds.window(1);
    const { scheme, manifest, run: id } = run.rounds.context;
    const bytes = (await run.folder.blobs.read(outerStep!.sha256))!;
    applyOuterStep(before, scheme.decodeStep(bytes, { run: id, window: 1 }));
    expect((await stateRoot(before, manifest.checkpoint.chunkBytes, nodeDigest)).root).toBe(root);
    expect(run.rounds.clock().stateRoot).toBe(root);
  });

  it('puts the honest above noise after a few windows, and the weights sum to 1', async () => {
    await join3();
    for (let window = 0; window < 6; window++) await playWindow();
    const { peers } = await run.rounds.leaderboard();
    expect(peers.at(-1)!.hotkey).toBe(mallory.hotkey);
    expect(peers[0]!.peerScore).toBeGreaterThan(0);
    expect(peers.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    const losses = (await run.rounds.windows(1, 100)).map(({ lossAfter }) => lossAfter!);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1);
    const { rank, contributions } = await run.rounds.peer(mallory.hotkey);
    expect(rank).toBe(3);
    expect(contributions.aggregated).toBeLessThan(6);
  });

  it('cuts the gate of a peer that stays away, then leaves it alone, then starts it afresh', async () => {
    await join3();
    await playWindow();
    const gates: (number | null)[] = [];
    const flags: string[][] = [];
    for (let window = 0; window < 4; window++) {
      toPut();
      await deliver(run, bob, await contributionOf(run, bob));
      await run.rounds.closeWindow();
      const peer = await run.rounds.peer(alice.hotkey);
      gates.push(peer.gate);
      flags.push(peer.flags);
    }
    expect(gates).toEqual([0.75, 0.75, 0.75, 1]);
    expect(flags[0]).toContain('gated');
    expect(flags.slice(1, 3)).toEqual([['inactive'], ['inactive']]);
    expect(flags[3]).toEqual(['new']);
    const { verdicts, rating } = await run.rounds.peer(alice.hotkey);
    expect(verdicts.filter(({ check, pass }) => check === 'delivered' && !pass)).toHaveLength(1);
    expect(verdicts.filter(({ check }) => check === 'conduct').map(({ reason }) => reason)).toEqual([
      'Nothing arrived for 4 windows: it starts afresh.',
      'Nothing arrived for 2 windows: it is inactive, without weight and evaluation.',
    ]);
    expect(rating).toMatchObject({ mu: 25, ordinal: 0 });
  });

  it('fails the sync check of whoever reports other parameters, and does not aggregate it', async () => {
    await join3();
    toPut();
    await deliver(run, alice, await contributionOf(run, alice));
    const { length } = syncPositions(1, bob.hotkey, run.rounds.context.scheme.layout);
    await deliver(
      run,
      bob,
      await contributionOf(run, bob, { header: { syncSample: new Array<number>(length).fill(1) } }),
    );
    await run.rounds.closeWindow();
    const peer = await run.rounds.peer(bob.hotkey);
    const failed = peer.verdicts.filter(({ pass }) => !pass).map(({ check }) => check);
    expect(failed).toEqual(['loss', 'sync']);
    expect(peer).toMatchObject({ sync: 0, gate: 0.75 });
    expect((await run.rounds.window(1)).aggregated).toEqual([alice.hotkey]);
  });
});

describe('evaluations', () => {
  /** Every trial takes half of the time that the manifest gives them all. */
  const slow: JudgeEngineFactory = (judged) => {
    const engine = sharedEngine(judged);
    return {
      ...engine,
      async losses(pages, trial) {
        if (trial) clock.moveTo(clock.time + (judged.manifest.gauntlet.evaluationSeconds * 1_000) / 2);
        return engine.losses(pages, trial);
      },
    };
  };

  it('begin while there is time; who was drawn and not reached waits on, and loses nothing', async () => {
    await join3();
    await run.close();
    run = await openTestRun(dir, clock, undefined, slow);
    await playWindow();
    const { evaluated } = await run.rounds.window(1);
    expect(evaluated).toHaveLength(2);
    const reached = new Set(evaluated.map(({ hotkey }) => hotkey));
    for (const { hotkey, figures } of await run.folder.store.peers()) {
      expect(figures.waited).toBe(reached.has(hotkey) ? 0 : 1);
      if (reached.has(hotkey)) continue;
      expect(figures).toMatchObject({ rating: { mu: 25 }, evaluations: 0, gate: 1 });
      expect((await run.folder.store.verdicts(hotkey, 50)).some(({ check }) => check === 'loss')).toBe(false);
    }
  });

  it('do not depend on who delivered first', async () => {
    const recordOf = async (order: readonly TestPeer[]) => {
      toPut();
      for (const peer of order) {
        await deliver(run, peer, await contributionOf(run, peer));
        clock.moveTo(clock.time + 100);
      }
      await run.rounds.closeWindow();
      const { evaluated, aggregated, stateRoot: root } = await run.rounds.window(1);
      const peers = await run.folder.store.peers();
      const verdicts = await Promise.all(order.map(({ hotkey }) => run.folder.store.verdicts(hotkey, 50)));
      // When it arrived is all that it may say of the arrival.
      const timeless = verdicts.flat().filter(({ check }) => check !== 'in-time');
      return { evaluated, aggregated, root, figures: peers.map(({ figures }) => figures), verdicts: new Set(timeless) };
    };
    await join3();
    const first = await recordOf([alice, bob, mallory]);
    await run.close();
    await rm(dir, { recursive: true });
    await createTestRun(dir);
    clock.time = START;
    run = await openTestRun(dir, clock);
    await join3();
    expect(await recordOf([mallory, bob, alice])).toEqual(first);
  });
});

describe('in the templar profile', () => {
  beforeEach(async () => {
    await run.close();
    await rm(dir, { recursive: true });
    // A model this small has honest peers keep many of the same indices.
    const tiers = [{ share: 0.95, factor: 0, naughtyWindows: 20 }];
    await createTestRun(dir, { ...REFERENCE_TEMPLAR, overlap: { fromWindow: 2, tiers } });
    run = await openTestRun(dir, clock);
    await join3();
  });

  /** Delivers in the order given; mallory has what alice has. */
  async function playCopy(order: readonly TestPeer[]): Promise<void> {
    toPut();
    const copied = contributionBody(await contributionOf(run, alice), run.rounds.context.scheme.bodyBytes);
    for (const peer of order) {
      await deliver(run, peer, await contributionOf(run, peer, peer === mallory ? { body: () => copied } : {}));
      clock.moveTo(clock.time + 100);
    }
    await run.rounds.closeWindow();
  }

  it('who uploads later in this window is the copy, whoever was earlier in the one before', async () => {
    await playCopy([mallory, bob, alice]);
    expect((await run.rounds.peer(mallory.hotkey)).flags).not.toContain('copied');
    await playCopy([alice, bob, mallory]);
    const copier = await run.rounds.peer(mallory.hotkey);
    expect(copier).toMatchObject({ poc: 0, rating: { mu: 25 }, conduct: { naughtyUntil: 22 } });
    expect(copier.flags).toEqual(expect.arrayContaining(['naughty', 'copied']));
    expect(copier.verdicts.find(({ check }) => check === 'overlap')).toMatchObject({ pass: false, value: 1 });
    expect(copier.verdicts.find(({ check }) => check === 'overlap')!.reason).toContain(alice.hotkey);
    expect((await run.rounds.peer(alice.hotkey)).flags).not.toContain('copied');
    expect((await run.rounds.window(2)).aggregated).toEqual([alice.hotkey, bob.hotkey].sort());
  });
});

describe('a full run', () => {
  const carol = testPeer('carol');
  const join = async (peer: TestPeer, issuedAt = new Date(START).toISOString()) =>
    run.rounds.join(await joinRequest(run.rounds.clock().run, peer, { issuedAt }));

  beforeEach(async () => {
    await run.close();
    run = await openTestRun(dir, clock, undefined, undefined, { maxPeers: 3 });
    await join3();
  });

  it('admits a newcomer once a peer has been away so long that its figures started afresh', async () => {
    await playWindow();
    for (let window = 2; window <= 5; window++) {
      await expect(join(carol)).rejects.toMatchObject({ key: 'too-many-requests' });
      toPut();
      for (const peer of [alice, mallory]) await deliver(run, peer, await contributionOf(run, peer));
      await run.rounds.closeWindow();
    }
    const replaced = await run.folder.store.peer(bob.hotkey);
    expect(await join(carol)).toMatchObject({ uid: replaced!.uid, rating: { mu: 25 }, poc: 0, flags: ['new'] });
    await expect(run.rounds.peer(bob.hotkey)).rejects.toMatchObject({ key: 'unknown-hotkey' });
    expect((await run.folder.store.history(bob.hotkey, 10)).map(({ window }) => window)).toEqual([1, 2]);
    await expect(join(bob)).rejects.toMatchObject({ key: 'too-many-requests' });

    toPut();
    await deliver(run, carol, await contributionOf(run, carol));
    await run.rounds.closeWindow();
    expect((await run.rounds.window(6)).contributions.map(({ hotkey }) => hotkey)).toEqual([carol.hotkey]);
    expect((await run.rounds.leaderboard()).peers.map(({ uid }) => uid).sort()).toEqual([0, 1, 2]);
  });

  it('does not give away the uid of a peer that comes back in the open window', async () => {
    await playWindow();
    for (let window = 2; window <= 5; window++) await run.rounds.closeWindow();
    toPut();
    await deliver(run, alice, await contributionOf(run, alice));
    expect((await join(carol)).uid).toBe(1);
    expect(await run.rounds.peer(alice.hotkey)).toMatchObject({ uid: 0, contributions: { accepted: 2 } });
  });

  it('does not let an old delegation of a peer that was bring its session key back', async () => {
    await run.rounds.join(
      await joinRequest(run.rounds.clock().run, bob, { issuedAt: new Date(START + 1).toISOString() }),
    );
    for (let window = 1; window <= 5; window++) await run.rounds.closeWindow();
    const first = (await run.folder.store.peers())[0]!;
    await join(carol);
    expect(await run.folder.store.peer(first.hotkey)).toBeUndefined();
    await run.folder.store.join((await joinRequest(run.rounds.clock().run, testPeer('dave'))).delegation, {
      firstWindow: 5,
      figures: first.figures,
      replaces: bob.hotkey,
      maxPeers: 3,
      guest: true,
      origin: null,
      bounds: null,
    });
    await expect(join(bob)).rejects.toMatchObject({ key: 'delegation-replaced' });
  });
});

describe('uploads', () => {
  it('get a receipt that the validator signed, and the same one again', async () => {
    await join3();
    toPut();
    const bytes = await contributionOf(run, alice);
    const signed = await deliver(run, alice, bytes);
    const { publicKey } = run.rounds.context.manifest.validator;
    expect(verifyHex('receipt', canonicalBytes(signed.receipt), signed.signature, publicKey)).toBe(true);
    clock.moveTo(clock.time + 10);
    expect(await deliver(run, alice, bytes)).toEqual(signed);
    const peer = await run.rounds.peer(alice.hotkey);
    expect(peer.contributions.accepted).toBe(1);
    expect(peer.receipts).toEqual([signed]);
  });

  it('stay sealed until the window is published', async () => {
    await join3();
    toPut();
    const { receipt } = await deliver(run, alice, await contributionOf(run, alice));
    expect(await run.folder.blobs.size(receipt.sha256)).toBeUndefined();
    expect(await run.rounds.window(1)).toMatchObject({
      contributions: [],
      participants: null,
      beacon: { reveal: null },
    });
    await run.rounds.closeWindow();
    expect(await run.folder.blobs.size(receipt.sha256)).toBe(receipt.bytes);
    expect((await run.rounds.window(1)).contributions).toMatchObject([
      { sha256: receipt.sha256, hotkey: alice.hotkey },
    ]);
  });

  it('are verified with the session key they were made with, though it changes before the judgement', async () => {
    await join3();
    toPut();
    await deliver(run, alice, await contributionOf(run, alice));
    const { run: id } = run.rounds.clock();
    const issuedAt = new Date(START + 1).toISOString();
    const sessionKey = '11'.repeat(32);
    await run.rounds.join(await joinRequest(id, alice, { issuedAt, sessionKey }));
    await expect(run.rounds.join(await joinRequest(id, alice))).rejects.toMatchObject({ key: 'delegation-replaced' });
    await run.rounds.closeWindow();
    expect((await run.rounds.window(1)).aggregated).toEqual([alice.hotkey]);
  });

  it('that arrive in time are judged, though the put phase closes while they are recorded', async () => {
    await join3();
    toPut();
    await run.close();
    let release = (): void => undefined;
    let sealing = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => (sealing = resolve));
    run = await openTestRun(dir, clock, (folder) => ({
      ...folder,
      uploads: {
        ...folder.uploads,
        async begin() {
          const staged = await folder.uploads.begin!();
          return {
            ...staged,
            async seal(sha256) {
              sealing();
              await held;
              await staged.seal(sha256);
            },
          };
        },
      },
    }));
    const receiving = deliver(run, alice, await contributionOf(run, alice));
    await reached;
    clock.moveTo(run.rounds.clock().putClosesAt);
    const closing = run.rounds.closeWindow();
    release();
    await Promise.all([receiving, closing]);
    expect(await run.rounds.window(1)).toMatchObject({ participants: 1, aggregated: [alice.hotkey] });
  });
});

describe('a restart', () => {
  it('finds the parameters by checkpoint and steps', async () => {
    await join3();
    for (let window = 1; window <= 3; window++) {
      await playWindow();
      const { stateRoot: root } = run.rounds.clock();
      await reopen();
      expect(run.rounds.clock()).toMatchObject({ window: window + 1, stateRoot: root });
    }
    expect(await run.rounds.checkpoint()).toMatchObject({ window: 3, steps: [{ window: 3 }] });
  });

  it('in the train phase changes nothing; in the put phase it gives that phase anew', async () => {
    const before = run.rounds.clock();
    clock.moveTo(START + 3_000);
    await reopen();
    expect(run.rounds.clock().putClosesAt).toBe(before.putClosesAt);
    clock.moveTo(START + 8_500);
    await reopen();
    expect(run.rounds.clock()).toMatchObject({ phase: 'put', putClosesAt: new Date(START + 11_500).toISOString() });
  });

  it('after the put phase opens the window anew, and receipts stay valid', async () => {
    await join3();
    toPut();
    const bytes = await contributionOf(run, alice);
    const signed = await deliver(run, alice, bytes);
    clock.moveTo(START + 60_000);
    await reopen();
    expect(run.rounds.clock()).toMatchObject({
      window: 1,
      phase: 'train',
      putOpensAt: new Date(START + 66_000).toISOString(),
    });
    toPut();
    expect(await deliver(run, alice, bytes)).toEqual(signed);
    await run.rounds.closeWindow();
    const record = await run.rounds.window(1);
    expect(record).toMatchObject({ participants: 1, aggregated: [alice.hotkey] });
    expect((await run.rounds.peer(alice.hotkey)).verdicts.filter(({ pass }) => !pass)).toEqual([]);
  });

  it('removes what a kill left behind', async () => {
    const staged = await run.folder.uploads.begin!();
    await staged.write(new Uint8Array(10));
    const sealed = await run.folder.uploads.begin!();
    await sealed.write(new Uint8Array(20));
    await sealed.seal('ab'.repeat(32));
    await reopen();
    const left = await readdir(join(dir, 'uploads'), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
    await staged.discard();
  });

  it('blames its own disk, not a peer, for a contribution that is damaged, and judges it once it is back', async () => {
    await join3();
    const bytes = await contributionOf(run, alice);
    toPut();
    const { receipt } = await deliver(run, alice, bytes);
    const path = join(dir, 'uploads', receipt.sha256.slice(0, 2), receipt.sha256);
    await truncate(path, bytes.length - 1);
    await expect(run.rounds.closeWindow()).rejects.toThrow(CorruptRunError);
    await expect(run.rounds.closeWindow()).rejects.toThrow(/contribution of .* is damaged/);
    expect(run.rounds.clock()).toMatchObject({ window: 1, phase: 'judge' });
    await writeFile(path, bytes);
    await run.rounds.closeWindow();
    expect(await run.rounds.window(1)).toMatchObject({ aggregated: [alice.hotkey] });
  });

  it('refuses parameters that are not those of the record', async () => {
    await run.rounds.closeWindow();
    const { outerStep } = await run.rounds.window(1);
    const { sha256 } = outerStep!;
    await rm(join(dir, 'blobs', sha256.slice(0, 2), sha256));
    await run.close();
    await expect(openTestRun(dir, clock)).rejects.toThrow(/outer step of window 1 .* is missing/);
    // afterEach closes what is open.
    await rm(dir, { recursive: true });
    await createTestRun(dir);
    run = await openTestRun(dir, clock);
  });
});
