/** The chain of a run, and what a validator does with it, on the emulator. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmulatorNode, type TestNode } from '../../../chain/testing/nodes.ts';
import { prepareSubnet, signerOf, type TestSubnet } from '../../../chain/testing/subnet.ts';
import { ChainRecordsSchema, ChainStateSchema } from '../../../core/protocol/chain.ts';
import type { RunManifest } from '../../../core/protocol/manifest.ts';
import { ChainUnreachableError } from '../../rounds/ports.ts';
import { createValidator, type Validator } from '../../serve.ts';
import { createTestRun, sharedEngine, silentLog } from '../testing/test-run.ts';
import { followRunChain, type LiveChain } from './run-chain.ts';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the chain of a run', { timeout: 60_000 }, () => {
  let node: TestNode;
  let subnet: TestSubnet;
  let parameters: NonNullable<RunManifest['chain']>;
  const dirs: string[] = [];
  const opened: LiveChain[] = [];

  beforeAll(async () => {
    node = await startEmulatorNode();
    subnet = await prepareSubnet(node);
    parameters = {
      genesisHash: subnet.api.genesisHash.toHex(),
      endpoints: [node.endpoint],
      netuid: subnet.netuid,
      trainBlocks: 2,
      putBlocks: 1,
      blockSeconds: 1,
    };
  });
  afterEach(async () => {
    for (const chain of opened.splice(0)) await chain.close();
    for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
  });
  afterAll(async () => {
    await subnet.close();
    await node.close();
  });

  const follow = (change: Partial<typeof parameters> = {}): LiveChain => {
    const chain = followRunChain({ parameters: { ...parameters, ...change }, now: Date.now, log: silentLog });
    opened.push(chain);
    return chain;
  };

  it('knows heads, hashes, registrations and owners', async () => {
    const chain = follow();
    const { signal } = new AbortController();
    const head = await chain.reached(0, signal);
    const later = chain.reached(head.number + 2, signal);
    await node.newBlocks(3);
    expect((await later).number).toBeGreaterThanOrEqual(head.number + 2);
    expect(await chain.hashOf(head.number)).toBe(head.hash);
    const { validator, miners, coldkey } = subnet;
    expect(await chain.registration(miners[0]!.address)).toEqual(expect.objectContaining({ uid: 1 }));
    expect(await chain.registration(coldkey.address)).toBeNull();
    expect(await chain.ownerOf(validator.address)).toBe(coldkey.address);
    expect(chain.connections()).toBe(1);
    const stopped = new AbortController();
    const never = chain.reached(head.number + 1_000, stopped.signal);
    stopped.abort(new Error('enough'));
    await expect(never).rejects.toThrow('enough');
  });

  it('may answer late: until then what is asked of it is unreachable, and closing does not wait', async () => {
    const chain = follow({ endpoints: ['ws://127.0.0.1:9'] });
    expect(chain.head()).toBeUndefined();
    await expect(chain.registration(subnet.validator.address)).rejects.toBeInstanceOf(ChainUnreachableError);
    await expect(chain.hashOf(1)).rejects.toBeInstanceOf(ChainUnreachableError);
    expect(chain.state()).toMatchObject({ endpoint: null, head: null, weights: null });
  });

  it('drives a validator’s windows, is recorded, and gets weights', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gauntlet-on-chain-'));
    dirs.push(dir);
    await createTestRun(dir, undefined, parameters);
    const validator: Validator = await createValidator({
      dataDir: dir,
      port: 0,
      host: '127.0.0.1',
      log: silentLog,
      createJudgeEngine: sharedEngine,
      weights: { signer: signerOf(subnet.validator), burnUid: 0 },
    });
    try {
      const { service: rounds } = validator;
      await until(() => rounds.clock().blocks !== null);
      const { putOpens, putCloses } = rounds.clock().blocks!;
      expect(putCloses - putOpens).toBe(1);
      await node.newBlocks(2);
      await until(() => rounds.clock().phase === 'put');
      await node.newBlocks(1);
      await until(() => rounds.clock().window === 2);
      const { beacon } = await rounds.window(1);
      expect(await subnet.api.rpc.chain.getBlockHash(beacon.block!.number).then((hash) => hash.toHex())).toBe(
        beacon.block!.hash,
      );

      const get = async (path: string): Promise<unknown> => (await fetch(validator.url + path)).json();
      // Not at an epoch's end, and not sooner than the rate limit allows.
      while (rounds.chain().weights?.block == null) {
        await node.newBlocks(1);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect((await subnet.api.query.subtensorModule!.weights!(subnet.netuid, 0)).toJSON()).toEqual([[0, 65_535]]);
      expect(ChainStateSchema.parse(await get('/v1/chain'))).toMatchObject({
        netuid: subnet.netuid,
        endpoint: node.endpoint,
        weights: { hotkey: subnet.validator.address },
      });
      const records = ChainRecordsSchema.parse(await get(`/v1/chain/records/${subnet.miners[0]!.address}`));
      expect(records[0]).toMatchObject({ uid: 1, rank: 1, gauntletWeight: null });
      expect(await (await fetch(`${validator.url}/metrics`)).text()).toMatch(/gauntlet_chain_head\{[^}]*\} \d+/);
    } finally {
      await validator.close();
    }
  });
});
