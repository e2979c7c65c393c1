import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beaconOf } from '../../core/gauntlet/beacon.ts';
import type { Phase } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { assertStillRegistered } from './delegations.ts';
import { hashOfBlock, ScriptedChain } from '../adapters/testing/scripted-chain.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  joinRequest,
  openTestRun,
  START,
  testPeer,
  type OpenTestRun,
} from '../adapters/testing/test-run.ts';

const TRAIN = 4;
const PUT = 2;
const FIRST = 100;
const CHAIN: RunManifest['chain'] = {
  genesisHash: hashOfBlock(0),
  endpoints: ['ws://127.0.0.1:9'],
  netuid: 3,
  trainBlocks: TRAIN,
  putBlocks: PUT,
  blockSeconds: 12,
};
const alice = testPeer('alice');

let dir: string;
let clock: FakeClock;
let chain: ScriptedChain;
let run: OpenTestRun;

async function open(): Promise<void> {
  run = await openTestRun(dir, clock, undefined, undefined, undefined, chain);
  run.rounds.start();
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gauntlet-blocks-'));
  clock = new FakeClock();
  chain = new ScriptedChain();
  await createTestRun(dir, undefined, CHAIN);
  await open();
});

async function close(): Promise<void> {
  await run.rounds.stop();
  await run.close();
}
afterEach(async () => {
  await close();
  await rm(dir, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const now = () => run.rounds.clock();
const phase = (window: number, wanted: Phase): Promise<void> =>
  until(() => now().window === window && now().phase === wanted);
const at = (seconds: number): string => new Date(START + 1_000 * seconds).toISOString();
/** The deadlines of a window are known. */
const dated = (window: number): Promise<void> => until(() => now().window === window && now().blocks !== null);

describe('a run on a chain', () => {
  it('waits for its first block, says so, and is then told the time in blocks', async () => {
    expect(now()).toMatchObject({ window: 1, phase: 'train', blocks: null });
    expect(run.rounds.unready()).toMatch(/block/);
    chain.moveTo(FIRST);
    await dated(1);
    expect(run.rounds.unready()).toBeUndefined();
    expect(now()).toMatchObject({
      phase: 'train',
      blocks: { head: FIRST, putOpens: FIRST + TRAIN, putCloses: FIRST + TRAIN + PUT },
      putOpensAt: at(12 * TRAIN),
      putClosesAt: at(12 * (TRAIN + PUT)),
    });
    // A block that takes longer than planned puts everything off.
    clock.moveTo(START + 20_000);
    chain.moveTo(FIRST + 1);
    expect(now()).toMatchObject({ putOpensAt: at(20 + 12 * (TRAIN - 1)), blocks: { head: FIRST + 1 } });
  });

  it('foretells a whole put phase however long its first block is overdue', async () => {
    chain.moveTo(FIRST);
    await dated(1);
    clock.moveTo(START + 1_000_000);
    expect(now()).toMatchObject({ phase: 'train', putOpensAt: at(1_000), putClosesAt: at(1_000 + 12 * PUT) });
  });

  it('takes uploads between two blocks, and mixes the second into the beacon', async () => {
    const { run: id } = now();
    await run.rounds.join(await joinRequest(id, alice));
    chain.moveTo(FIRST);
    await dated(1);
    const bytes = await contributionOf(run, alice);
    await expect(deliver(run, alice, bytes)).rejects.toMatchObject({ key: 'too-early' });
    chain.moveTo(FIRST + TRAIN - 1);
    await expect(deliver(run, alice, bytes)).rejects.toMatchObject({ key: 'too-early' });
    chain.moveTo(FIRST + TRAIN);
    await phase(1, 'put');
    clock.moveTo(START + 600_000);
    await deliver(run, alice, bytes);
    chain.moveTo(FIRST + TRAIN + PUT);
    await until(() => now().window === 2);
    const { beacon, contributions, putClosesAt } = await run.rounds.window(1);
    expect(putClosesAt).toBe(at(600));
    const block = { number: FIRST + TRAIN + PUT, hash: hashOfBlock(FIRST + TRAIN + PUT) };
    expect(beacon.block).toEqual(block);
    expect(contributions.map(({ hotkey }) => hotkey)).toEqual([alice.hotkey]);
    expect(beaconOf(beacon.reveal!, 1, contributions, block)).not.toEqual(beaconOf(beacon.reveal!, 1, contributions));
    const other = { ...block, hash: hashOfBlock(block.number + 1) };
    expect(beaconOf(beacon.reveal!, 1, contributions, block)).not.toEqual(
      beaconOf(beacon.reveal!, 1, contributions, other),
    );
  });

  it('gives no ticket to a hotkey that lost its uid, and none loses it while no node answers', async () => {
    const allowed = (guests: boolean): Promise<void> => assertStillRegistered(alice.hotkey, { guests }, chain);
    await expect(allowed(false)).rejects.toMatchObject({ key: 'not-registered' });
    await expect(allowed(true)).resolves.toBeUndefined();
    chain.registered.set(alice.hotkey, 7);
    await expect(allowed(false)).resolves.toBeUndefined();
    chain.registered.clear();
    chain.reachable = false;
    await expect(allowed(false)).resolves.toBeUndefined();
  });

  it('waits for the hash of the closing block when no node answers', async () => {
    chain.moveTo(FIRST);
    await dated(1);
    chain.moveTo(FIRST + TRAIN);
    await phase(1, 'put');
    chain.reachable = false;
    chain.moveTo(FIRST + TRAIN + PUT);
    await until(() => run.rounds.unready() !== undefined);
    expect(now().window).toBe(1);
    chain.reachable = true;
    await until(() => {
      clock.moveTo(clock.time + 1_000);
      return now().window === 2;
    });
  });

  it('closes each window once, each with a whole put phase, however the heads jump', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 6, maxLength: 14 }), async (jumps) => {
        // A run goes on from where the one before it ended, with nothing under way.
        let number = chain.head()?.number ?? FIRST;
        if (!chain.head()) chain.moveTo(number);
        await dated(now().window);
        for (const jump of jumps) {
          const { window, phase: before, blocks } = now();
          number += jump;
          chain.moveTo(number);
          if (before === 'train' && number >= blocks!.putOpens) {
            await phase(window, 'put');
            // Late or not, uploads are taken for as many blocks as were promised.
            expect(now().blocks).toEqual({ head: number, putOpens: number, putCloses: number + PUT });
          } else if (before === 'put' && number >= blocks!.putCloses) {
            await dated(window + 1);
            expect(now().blocks).toEqual({ head: number, putOpens: number + TRAIN, putCloses: number + TRAIN + PUT });
            expect((await run.rounds.window(window)).beacon.block).toEqual({
              number: blocks!.putCloses,
              hash: hashOfBlock(blocks!.putCloses),
            });
          } else {
            expect(now()).toMatchObject({ window, phase: before });
          }
        }
      }),
      // What is under way when a run fails would be in the way of smaller ones.
      { numRuns: 6, endOnFailure: true },
    );
    const windows = await run.rounds.windows(1, 1_000);
    expect(windows.map(({ window }) => window)).toEqual(windows.map((_, i) => i + 1));
    expect(windows.length).toBeGreaterThan(3);
  });

  describe('goes on after a restart', () => {
    /** Down from one head to another. */
    async function restart(to: number): Promise<void> {
      const { window } = now();
      await close();
      chain = new ScriptedChain();
      await open();
      chain.moveTo(to);
      await until(() => now().window === window && now().blocks?.head === to);
    }
    beforeEach(async () => {
      chain.moveTo(FIRST);
      await dated(1);
    });

    it('of the train phase as it was', async () => {
      await restart(FIRST + 1);
      expect(now()).toMatchObject({ phase: 'train', blocks: { putOpens: FIRST + TRAIN } });
    });

    it('of the put phase with the whole of it again, and nothing that came is lost', async () => {
      await run.rounds.join(await joinRequest(now().run, alice));
      chain.moveTo(FIRST + TRAIN);
      await phase(1, 'put');
      await deliver(run, alice, await contributionOf(run, alice));
      await restart(FIRST + TRAIN + 1);
      await phase(1, 'put');
      expect(now().blocks).toMatchObject({ putCloses: FIRST + TRAIN + 1 + PUT });
      chain.moveTo(FIRST + TRAIN + 1 + PUT);
      await dated(2);
      expect((await run.rounds.window(1)).participants).toBe(1);
    });

    it('of a judgement with the same closing block', async () => {
      chain.moveTo(FIRST + TRAIN);
      await phase(1, 'put');
      chain.reachable = false;
      chain.moveTo(FIRST + TRAIN + PUT);
      await until(() => run.rounds.unready() !== undefined);
      await close();
      chain = new ScriptedChain();
      await open();
      expect(now()).toMatchObject({ window: 1, phase: 'judge' });
      chain.moveTo(FIRST + 50);
      await dated(2);
      expect((await run.rounds.window(1)).beacon.block?.number).toBe(FIRST + TRAIN + PUT);
    });

    it('and says that it hears of no block, though it knows deadlines', async () => {
      await close();
      chain = new ScriptedChain();
      await open();
      expect(now().blocks).toMatchObject({ head: null, putOpens: FIRST + TRAIN });
      expect(run.rounds.unready()).toMatch(/block/);
      chain.moveTo(FIRST + 1);
      expect(run.rounds.unready()).toBeUndefined();
    });

    it('that lasted longer than the put phase with training', async () => {
      chain.moveTo(FIRST + TRAIN);
      await phase(1, 'put');
      await restart(FIRST + 50);
      await until(() => now().blocks?.putOpens === FIRST + 50 + TRAIN);
      expect(now().phase).toBe('train');
    });
  });

  it('tells of its chain; one of its own says that it has none', async () => {
    chain.moveTo(FIRST);
    expect(run.rounds.chain()).toMatchObject({ netuid: 3, head: { number: FIRST } });
    expect(await run.rounds.chainRecords(alice.hotkey, 10)).toEqual([]);
    const own = await mkdtemp(join(tmpdir(), 'gauntlet-own-'));
    await createTestRun(own);
    const without = await openTestRun(own, clock);
    expect(() => without.rounds.chain()).toThrow(expect.objectContaining({ key: 'no-chain' }));
    await expect(without.rounds.chainRecords(alice.hotkey, 10)).rejects.toMatchObject({ key: 'no-chain' });
    await without.close();
    await rm(own, { recursive: true });
  });
});
