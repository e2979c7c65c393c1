/**
 * What has to hold of the adapter on any Subtensor chain. Runs on the emulator in every test run, and on a real runtime
 * on demand (chain.test.ts): where the two differ, the emulator is wrong.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectChain } from '../connect.ts';
import type { ChainErrorKind } from '../errors.ts';
import type { BlockHead, SubtensorChain } from '../types.ts';
import { cuttable, type CuttableEndpoint, type TestNode } from './nodes.ts';
import { pairOf, prepareSubnet, signerOf, type TestSubnet } from './subnet.ts';

const UNKNOWN_HASH = `0x${'ab'.repeat(32)}`;
const NO_SUCH_NETUID = 900;

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** A ChainError of a kind, whose message a person can read. */
const refusal = (kind: ChainErrorKind, words: RegExp): unknown =>
  expect.objectContaining({ name: 'ChainError', kind, message: expect.stringMatching(words) as unknown });

export const chainSuite = (name: string, start: () => Promise<TestNode>): void => {
  describe(name, { timeout: 120_000 }, () => {
    let node: TestNode;
    let first: CuttableEndpoint;
    let second: CuttableEndpoint;
    let subnet: TestSubnet;
    let genesisHash: string;
    let chain: SubtensorChain;

    const connected = (): Promise<SubtensorChain> =>
      connectChain({ endpoints: [first.endpoint, second.endpoint], genesisHash });

    /** The node's own newest finalised block. */
    const finalised = async (): Promise<BlockHead> => {
      const hash = await subnet.api.rpc.chain.getFinalizedHead();
      const header = await subnet.api.rpc.chain.getHeader(hash);
      return { number: header.number.toNumber(), hash: hash.toHex() };
    };

    const query = (item: string, ...keys: unknown[]): Promise<unknown> =>
      subnet.api.query.subtensorModule![item]!(...keys).then((value) => value.toJSON());

    const cleanups: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      node = await start();
      cleanups.push(() => node.close());
      [first, second] = await Promise.all([cuttable(node), cuttable(node)]);
      cleanups.push(
        () => first.close(),
        () => second.close(),
      );
      subnet = await prepareSubnet(node);
      cleanups.push(() => subnet.close());
      genesisHash = subnet.api.genesisHash.toHex();
      chain = await connected();
      cleanups.push(() => chain.close());
    }, 120_000);

    // Also what a failed start leaves: a node is a process of its own.
    afterAll(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });

    describe('connecting', () => {
      it('says which chain and which runtime it is connected to', () => {
        expect(chain.genesisHash).toBe(genesisHash);
        expect(chain.status()).toEqual({
          kind: 'connected',
          endpoint: first.endpoint,
          specVersion: subnet.api.runtimeVersion.specVersion.toNumber(),
        });
      });

      it('refuses another chain than was asked for', async () => {
        const other = connectChain({ endpoints: [first.endpoint], genesisHash: UNKNOWN_HASH });
        await expect(other).rejects.toEqual(refusal('wrong-chain', /chain/i));
      });
    });

    describe('blocks', () => {
      it('knows the newest finalised block, and any finalised block’s hash', async () => {
        await node.newBlocks(1);
        const head = await finalised();
        expect(await chain.head()).toEqual(head);
        const past = await subnet.api.rpc.chain.getBlockHash(head.number - 3);
        expect(await chain.blockHash(head.number - 3)).toBe(past.toHex());
        await expect(chain.blockHash(head.number + 1000)).rejects.toMatchObject({ name: 'ChainError' });
      });

      it('tells of each finalised head, ascending', async () => {
        const from = await finalised();
        const heads: BlockHead[] = [];
        const stop = chain.followHeads((head) => heads.push(head));
        await until(() => heads.length > 0);
        await node.newBlocks(1);
        await node.newBlocks(1);
        await until(() => (heads.at(-1)?.number ?? 0) >= from.number + 2);
        stop();
        expect(heads.map(({ number }) => number)).toEqual([from.number, from.number + 1, from.number + 2]);
        expect(heads.at(-1)).toEqual(await finalised());
      });

      it('counts windows by finalised heads, whatever the connection does', async () => {
        const blocks = 3;
        const from = await finalised();
        const opened: number[] = [];
        const numbers: number[] = [];
        const stop = chain.followHeads(({ number }) => {
          numbers.push(number);
          const window = Math.floor((number - from.number) / blocks);
          if (opened.at(-1) !== window) opened.push(window);
        });
        await until(() => opened.includes(0));
        for (let i = 0; i < blocks; i++) await node.newBlocks(1);
        await until(() => opened.includes(1));
        // Four windows pass unseen: both ways are cut.
        first.cut();
        second.cut();
        await until(() => chain.status().kind !== 'connected');
        await node.newBlocks(4 * blocks);
        first.mend();
        second.mend();
        await until(() => opened.includes(5));
        for (let i = 0; i < blocks; i++) await node.newBlocks(1);
        await until(() => opened.includes(6));
        stop();
        expect(opened).toEqual([0, 1, 5, 6]);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(new Set(numbers).size).toBe(numbers.length);
      });

      it('goes to the other endpoint when one is gone', async () => {
        const other = await connected();
        const heads: number[] = [];
        const endpoints = new Set<string>();
        other.onStatus((status) => status.kind === 'connected' && endpoints.add(status.endpoint));
        const stop = other.followHeads(({ number }) => heads.push(number));
        await until(() => heads.length > 0);
        const current = other.status().endpoint === first.endpoint ? first : second;
        current.cut();
        const remaining = current === first ? second : first;
        await until(() => endpoints.has(remaining.endpoint));
        await node.newBlocks(1);
        const { number } = await finalised();
        await until(() => heads.includes(number));
        expect(await other.head()).toEqual(await finalised());
        stop();
        await other.close();
        current.mend();
        await until(() => chain.status().kind === 'connected');
      });
    });

    describe('registration', () => {
      it('knows a hotkey’s uid, its block and its owner', async () => {
        const { netuid, validator, miners, coldkey } = subnet;
        const registration = await chain.registration(netuid, validator.address);
        expect(registration).toEqual({ uid: 0, registeredAt: await query('blockAtRegistration', netuid, 0) });
        expect(await chain.registration(netuid, miners[1]!.address)).toMatchObject({ uid: 2 });
        expect(await chain.ownerOf(validator.address)).toBe(coldkey.address);
        expect(await chain.hotkeysOf(coldkey.address)).toEqual(
          expect.arrayContaining([validator, ...miners].map(({ address }) => address)),
        );
      });

      it('knows nothing of a stranger', async () => {
        const stranger = (await pairOf('//stranger')).address;
        expect(await chain.registration(subnet.netuid, stranger)).toBeNull();
        expect(await chain.ownerOf(stranger)).toBeNull();
        expect(await chain.hotkeysOf(stranger)).toEqual([]);
      });
    });

    describe('commitments', () => {
      it('publishes a text that is read back', async () => {
        const { netuid, validator, miners } = subnet;
        const texts = [
          [validator, 'https://validator.example:8899/a?b=ü'],
          [miners[0]!, 'x'.repeat(128)],
        ] as const;
        for (const [pair, text] of texts) {
          const { block, extrinsicHash } = await chain.commit(netuid, text, signerOf(pair));
          expect(await chain.blockHash(block.number)).toBe(block.hash);
          expect(extrinsicHash).toMatch(/^0x[0-9a-f]{64}$/);
          const commitment = { hotkey: pair.address, text, block: block.number };
          expect(await chain.commitment(netuid, pair.address)).toEqual(commitment);
          expect(await chain.commitments(netuid)).toContainEqual(commitment);
        }
        expect(await chain.commitment(netuid, miners[2]!.address)).toBeNull();
      });

      it('says in words why one is refused', async () => {
        const { netuid, validator, miners } = subnet;
        const again = chain.commit(netuid, 'again', signerOf(validator));
        await expect(again).rejects.toEqual(refusal('refused', /often|rate|wait|soon|blocks/i));
        const stranger = chain.commit(netuid, 'x', signerOf(await pairOf('//stranger')));
        await expect(stranger).rejects.toMatchObject({ name: 'ChainError' });
        const long = chain.commit(netuid, 'ü'.repeat(65), signerOf(miners[2]!));
        await expect(long).rejects.toEqual(refusal('invalid', /128/));
      });
    });

    describe('the metagraph', () => {
      it('has the chain’s own figures, in uids’ order', async () => {
        const { netuid, validator, miners, coldkey } = subnet;
        const metagraph = await chain.metagraph(netuid);
        expect(metagraph.block).toEqual(await finalised());
        expect(metagraph.specVersion).toBe(subnet.api.runtimeVersion.specVersion.toNumber());
        expect(Math.abs(Date.parse(metagraph.at) - Date.now())).toBeLessThan(3_600_000);
        expect(metagraph.neurons.map(({ hotkey }) => hotkey)).toEqual(
          [validator, ...miners].map(({ address }) => address),
        );
        expect(metagraph.neurons.map(({ uid }) => uid)).toEqual([0, 1, 2, 3]);
        const emission = (await query('emission', netuid)) as number[];
        const permits = (await query('validatorPermit', netuid)) as boolean[];
        for (const neuron of metagraph.neurons) {
          expect(neuron.coldkey).toBe(coldkey.address);
          expect(neuron.active).toBe(true);
          expect(neuron.validatorPermit).toBe(permits[neuron.uid]);
          expect(neuron.emission).toBeCloseTo(emission[neuron.uid]! / 1e9, 9);
          expect(neuron.registeredAt).toBe(await query('blockAtRegistration', netuid, neuron.uid));
        }
        const total = (item: 'incentive' | 'dividends'): number =>
          metagraph.neurons.reduce((sum, neuron) => sum + neuron[item], 0);
        for (const item of ['incentive', 'dividends'] as const)
          expect([0, 1]).toContain(Math.round(total(item) * 1e3) / 1e3);
        const perSubnet = 'totalHotkeyAlpha' in subnet.api.query.subtensorModule!;
        const staked =
          Number(
            await (perSubnet
              ? query('totalHotkeyAlpha', validator.address, netuid)
              : query('totalHotkeyStake', validator.address)),
          ) / 1e9;
        expect(staked).toBeGreaterThan(0);
        expect(metagraph.neurons[0]!.stake).toBeCloseTo(staked, 6);
      });

      it('has the subnet’s settings, and foretells the epoch', async () => {
        const { netuid } = subnet;
        const { subnet: figures, block } = await chain.metagraph(netuid);
        expect(figures).toMatchObject({ netuid, neurons: 4, tempo: await query('tempo', netuid), commitReveal: false });
        expect(figures.immunityPeriod).toBe(await query('immunityPeriod', netuid));
        expect(figures.weightsRateLimit).toBe(0);
        expect(figures.burn).toBeCloseTo(Number(await query('burn', netuid)) / 1e9, 9);
        const [tao, alpha] = [await query('subnetTAO', netuid), await query('subnetAlphaIn', netuid)].map(Number);
        expect(figures.alphaPrice).toBeCloseTo(tao! / alpha!, 6);
        expect(figures.nextEpochAt).toBeGreaterThan(block.number);
        await node.newBlocks(figures.nextEpochAt - block.number - 1);
        const before = await query('lastMechansimStepBlock', netuid);
        await node.newBlocks(1);
        expect(before).not.toBe(figures.nextEpochAt);
        expect(await query('lastMechansimStepBlock', netuid)).toBe(figures.nextEpochAt);
      });

      it('refuses a subnet that is not there', async () => {
        await expect(chain.metagraph(NO_SUCH_NETUID)).rejects.toEqual(refusal('no-such-subnet', /900/));
      });
    });

    describe('weights', () => {
      const shares = (): Map<string, number> =>
        new Map([
          [subnet.miners[0]!.address, 0.6],
          [subnet.miners[2]!.address, 0.2],
        ]);

      it('plans, sets and reads back', async () => {
        const { netuid, validator } = subnet;
        const stranger = (await pairOf('//stranger')).address;
        const plan = await chain.planWeights(netuid, validator.address, shares().set(stranger, 0.2));
        expect(plan).toMatchObject({ method: 'set', validatorUid: 0, unregistered: [stranger], obstacles: [] });
        expect(plan.entries.map(({ uid }) => uid)).toEqual([1, 3]);
        expect(plan.entries[0]!.value / plan.entries[1]!.value).toBeCloseTo(3, 3);
        const { block } = await chain.sendWeights(netuid, plan, signerOf(validator));
        expect(await chain.blockHash(block.number)).toBe(block.hash);
        const [row, ...others] = await chain.weights(netuid);
        expect(others).toEqual([]);
        expect(row!.validatorUid).toBe(0);
        expect(row!.weights.map(({ uid }) => uid)).toEqual([1, 3]);
        expect(row!.weights[0]!.share).toBeCloseTo(0.75, 4);
        expect(row!.weights[1]!.share).toBeCloseTo(0.25, 4);
        const { neurons } = await chain.metagraph(netuid);
        expect(neurons[0]!.lastUpdate).toBe(block.number);
      });

      it('are incentive after the next epoch', async ({ skip }) => {
        const { netuid, miners } = subnet;
        const { subnet: figures, block } = await chain.metagraph(netuid);
        await node.newBlocks(figures.nextEpochAt - block.number);
        const { neurons } = await chain.metagraph(netuid);
        if (neurons.every(({ incentive }) => incentive === 0)) skip('the epoch of this runtime is a mock');
        const expected = new Map([
          [miners[0]!.address, 0.75],
          [miners[2]!.address, 0.25],
        ]);
        for (const { hotkey, incentive } of neurons) expect(incentive).toBeCloseTo(expected.get(hotkey) ?? 0, 4);
      });

      it('says in words that the rate limit is not over, and from when it may be', async () => {
        const { netuid, validator, root } = subnet;
        await root('adminUtils.sudoSetWeightsSetRateLimit', netuid, 15);
        const last = ((await query('lastUpdate', netuid)) as number[])[0]!;
        const plan = await chain.planWeights(netuid, validator.address, shares());
        expect(plan.allowedFrom).toBe(last + 15);
        expect(plan.obstacles).toHaveLength(1);
        expect(plan.obstacles[0]).toMatch(/15|limit|block/i);
        const sent = chain.sendWeights(netuid, plan, signerOf(validator));
        await expect(sent).rejects.toEqual(refusal('refused', /soon|fast|limit|block/i));
        await node.newBlocks(15);
        expect((await chain.planWeights(netuid, validator.address, shares())).obstacles).toEqual([]);
        await root('adminUtils.sudoSetWeightsSetRateLimit', netuid, 0);
      });

      it('says in words that a validator’s permit is missing', async ({ skip }) => {
        const { netuid, validator, miners } = subnet;
        const permits = (await query('validatorPermit', netuid)) as boolean[];
        if (permits[2] === true) skip('the epoch of this runtime is a mock that permits everybody');
        const unpermitted = await chain.planWeights(netuid, miners[1]!.address, shares());
        expect(unpermitted.obstacles.join()).toMatch(/permit/i);
        const plan = await chain.planWeights(netuid, validator.address, shares());
        await expect(chain.sendWeights(netuid, plan, signerOf(miners[1]!))).rejects.toEqual(
          refusal('refused', /permit/i),
        );
      });

      it('says in words that a validator is not registered', async () => {
        const stranger = await pairOf('//stranger');
        await expect(chain.planWeights(subnet.netuid, stranger.address, shares())).rejects.toEqual(
          refusal('refused', /regist/i),
        );
      });

      it('plans to commit where commit-reveal is on', async () => {
        const { netuid, validator, root } = subnet;
        const set = await chain.planWeights(netuid, validator.address, shares());
        await root('adminUtils.sudoSetCommitRevealWeightsEnabled', netuid, true);
        const plan = await chain.planWeights(netuid, validator.address, shares());
        expect(plan.method).toBe('commit');
        expect((await chain.metagraph(netuid)).subnet.commitReveal).toBe(true);
        await expect(chain.sendWeights(netuid, set, signerOf(validator))).rejects.toEqual(
          refusal('refused', /commit/i),
        );
        await root('adminUtils.sudoSetCommitRevealWeightsEnabled', netuid, false);
      });
    });
  });
};
