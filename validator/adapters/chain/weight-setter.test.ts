import { describe, expect, it, vi } from 'vitest';
import { connectChain } from '../../../chain/connect.ts';
import { ChainError } from '../../../chain/errors.ts';
import { startEmulatorNode } from '../../../chain/testing/nodes.ts';
import { prepareSubnet, signerOf } from '../../../chain/testing/subnet.ts';
import type {
  BlockHead,
  ChainSigner,
  Inclusion,
  Metagraph,
  Neuron,
  Subnet,
  SubtensorChain,
  WeightsPlan,
} from '../../../chain/types.ts';
import type { Leaderboard } from '../../../core/protocol/api.ts';
import { sharesOf } from './shares.ts';
import { startWeightSetter, type WeightSetter } from './weight-setter.ts';

const TEMPO = 100;
const NETUID = 3;
const SIGNER: ChainSigner = { address: 'validator', account: undefined, kind: 'pair' };
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

const at = (number: number): BlockHead => ({ number, hash: `0x${number.toString(16).padStart(64, '0')}` });

/** A subnet whose epochs end at multiples of TEMPO, told of block by block; what it was sent is in `sent`. */
function scripted(plan: Partial<WeightsPlan> = {}) {
  let tell: (head: BlockHead) => void = () => undefined;
  const script = {
    plan,
    lastUpdate: 10,
    sent: [] as { readonly at: number; readonly shares: ReadonlyMap<string, number> }[],
    /** Runs in place of the chain's answer to the next transactions. */
    send: undefined as ((include: () => Inclusion) => Promise<Inclusion>) | undefined,
    followers: 0,
  };
  let now = 0;
  let planned: ReadonlyMap<string, number> = new Map();
  const neuron = (uid: number, hotkey: string, lastUpdate: number | null): Neuron => ({
    uid,
    hotkey,
    coldkey: null,
    active: true,
    validatorPermit: uid === 0,
    stake: null,
    stakeWeight: null,
    incentive: 0,
    dividends: 0,
    consensus: null,
    validatorTrust: null,
    emission: 0,
    lastUpdate,
    registeredAt: 10,
  });
  const metagraph = (): Metagraph => ({
    block: at(now),
    at: '2026-01-01T00:00:00.000Z',
    specVersion: 233,
    subnet: { netuid: NETUID, tempo: TEMPO, nextEpochAt: (Math.floor(now / TEMPO) + 1) * TEMPO } as Subnet,
    neurons: [neuron(0, SIGNER.address, script.lastUpdate), neuron(1, 'owner', null)],
    missing: [],
  });
  const chain: Partial<SubtensorChain> = {
    followHeads: (listener) => {
      tell = listener;
      script.followers++;
      return () => script.followers--;
    },
    metagraph: () => Promise.resolve(metagraph()),
    planWeights: (_netuid, _hotkey, shares) => {
      planned = shares;
      const entries = [...shares.keys()].map((hotkey, uid) => ({ uid, hotkey, value: 1 }));
      const whole = {
        method: 'set',
        validatorUid: 0,
        entries,
        unregistered: [],
        allowedFrom: 0,
        obstacles: [],
      } as const;
      return Promise.resolve({ ...whole, ...script.plan });
    },
    sendWeights: () => {
      const include = (): Inclusion => {
        script.lastUpdate = now + 1;
        script.sent.push({ at: now, shares: planned });
        return { block: at(now + 1), extrinsicHash: '0x' };
      };
      return script.send ? script.send(include) : Promise.resolve(include());
    },
  };
  return {
    script,
    chain: chain as SubtensorChain,
    /** Tells of a head, and lets everything that follows from it happen. */
    head: async (number: number): Promise<void> => {
      now = number;
      tell(at(number));
      await new Promise(setImmediate);
    },
  };
}

const peers = [
  { hotkey: 'a', weight: 0.3 },
  { hotkey: 'b', weight: 0.2 },
  { hotkey: 'c', weight: 0 },
];

function start(
  chain: SubtensorChain,
  board = peers,
  burnUid?: number,
  { netuid, signer } = { netuid: NETUID, signer: SIGNER },
): WeightSetter {
  const leaderboard = { window: 7, peers: board } as unknown as Leaderboard;
  return startWeightSetter({
    ...{ chain, netuid, signer, log: SILENT },
    leaderboard: () => Promise.resolve(leaderboard),
    now: () => Date.UTC(2026, 0, 1),
    ...(burnUid === undefined ? {} : { burnUid }),
  });
}

describe('the weight setter', () => {
  it('sets weights once an epoch', async () => {
    const { chain, script, head } = scripted();
    const setter = start(chain);
    expect(setter.state()).toBeNull();
    for (let number = 120; number < 420; number += 3) await head(number);
    expect(script.sent.map((each) => each.at)).toEqual([120, 201, 303, 402]);
    expect(setter.state()).toEqual({
      hotkey: 'validator',
      window: 7,
      at: '2026-01-01T00:00:00.000Z',
      outcome: 'set',
      block: 403,
      detail: 'Set weights of 2 neurons in block 403.',
    });
    await setter.stop();
  });

  it('says that weights were committed where the chain reveals them later', async () => {
    const { chain, head } = scripted({ method: 'commit', unregistered: ['x'] });
    const setter = start(chain);
    await head(120);
    expect(setter.state()).toMatchObject({
      outcome: 'committed',
      detail: 'Committed weights of 2 neurons in block 121, 1 unregistered left out.',
    });
  });

  it('sends nothing again in the same epoch after a restart', async () => {
    const { chain, script, head } = scripted();
    script.lastUpdate = 110;
    const setter = start(chain);
    await head(120);
    await head(190);
    expect(script.sent).toEqual([]);
    expect(setter.state()).toMatchObject({ outcome: 'waiting', block: 110 });
    await head(201);
    expect(script.sent).toHaveLength(1);
  });

  it('sends nothing again when the answer to a transaction was lost', async () => {
    const { chain, script, head } = scripted();
    script.send = (include) => {
      include();
      return Promise.reject(new ChainError('unreachable', 'No endpoint answers.', 'Try again.'));
    };
    const setter = start(chain);
    await head(120);
    expect(setter.state()).toMatchObject({ outcome: 'waiting', detail: 'No endpoint answers.', block: null });
    for (let number = 121; number < 200; number++) await head(number);
    expect(script.sent).toHaveLength(1);
    expect(setter.state()).toMatchObject({ outcome: 'waiting', block: 121 });
  });

  it('takes a registration for no setting', async () => {
    const { chain, script, head } = scripted();
    start(chain);
    // Registered in block 10, which the chain keeps as the last update.
    await head(20);
    expect(script.sent).toHaveLength(1);
  });

  it('waits for the rate limit, and where an epoch is about to end', async () => {
    const { chain, script, head } = scripted({ allowedFrom: 150 });
    const setter = start(chain);
    await head(120);
    expect(setter.state()).toMatchObject({ outcome: 'waiting', detail: expect.stringContaining('150') as string });
    script.plan = {};
    await head(149);
    expect(script.sent).toEqual([]);
    await head(197);
    await head(200);
    expect(script.sent).toEqual([]);
    await head(201);
    expect(script.sent).toHaveLength(1);
  });

  it('asks ever more seldom after refusals, and sends when nothing is in the way', async () => {
    const { chain, script, head } = scripted({ obstacles: ['The hotkey has no validator permit.'] });
    const asked: number[] = [];
    const planWeights = chain.planWeights.bind(chain);
    let number = 101;
    chain.planWeights = (...args) => {
      asked.push(number);
      return planWeights(...args);
    };
    const setter = start(chain);
    for (; number < 190; number++) await head(number);
    expect(asked).toEqual([101, 106, 116, 136, 176]);
    expect(setter.state()).toMatchObject({ outcome: 'refused', detail: 'The hotkey has no validator permit.' });
    script.plan = {};
    await head(256);
    expect(script.sent).toHaveLength(1);
  });

  it('outlives what nobody expected', async () => {
    const { chain, script, head } = scripted();
    script.send = () => Promise.reject(new TypeError('a bug'));
    const setter = start(chain);
    await head(120);
    expect(setter.state()).toMatchObject({ outcome: 'refused', block: null });
    script.send = undefined;
    await head(125);
    expect(setter.state()).toMatchObject({ outcome: 'set' });
  });

  it('waits while nobody has a weight, and burns all of it only when told to whom', async () => {
    const nobody = [{ hotkey: 'a', weight: 0 }];
    const waiting = scripted();
    const setter = start(waiting.chain, nobody);
    await waiting.head(120);
    expect(setter.state()).toMatchObject({ outcome: 'waiting', detail: 'No peer has a weight yet.' });
    const burning = scripted();
    start(burning.chain, nobody, 1);
    await burning.head(120);
    expect(burning.script.sent.map(({ shares }) => [...shares])).toEqual([[['owner', 1]]]);
  });

  it('stops after what is under way', async () => {
    const { chain, script, head } = scripted();
    let finish: () => void = () => undefined;
    script.send = (include) => new Promise((resolve) => (finish = () => resolve(include())));
    const setter = start(chain);
    await head(120);
    let stopped = false;
    const stopping = setter.stop().then(() => (stopped = true));
    await head(121);
    expect([stopped, script.followers]).toEqual([false, 0]);
    finish();
    await stopping;
    expect(setter.state()).toMatchObject({ outcome: 'set', block: 122 });
    await head(250);
    expect(script.sent).toHaveLength(1);
  });
});

describe('the weight setter on the emulator', { timeout: 60_000 }, () => {
  it('sets weights in one epoch, and commits them in the next, when commit-reveal was switched on', async () => {
    const node = await startEmulatorNode();
    const subnet = await prepareSubnet(node, 2);
    const chain = await connectChain({ endpoints: [node.endpoint] });
    const [first, second] = subnet.miners.map(({ address }) => address);
    const board = [
      { hotkey: first!, weight: 0.6 },
      { hotkey: second!, weight: 0.3 },
    ];
    const storage = (item: string, ...keys: unknown[]): Promise<unknown> =>
      subnet.api.query.subtensorModule![item]!(...keys).then((value) => value.toJSON());
    const setter = start(chain, board, undefined, { netuid: subnet.netuid, signer: signerOf(subnet.validator) });
    try {
      await vi.waitFor(() => expect(setter.state()?.outcome).toBe('set'), { timeout: 20_000 });
      expect(await storage('weights', subnet.netuid, 0)).toEqual([
        [1, 65_535],
        [2, 32_768],
      ]);
      await subnet.root('adminUtils.sudoSetCommitRevealWeightsEnabled', subnet.netuid, true);
      const settingBlock = setter.state()!.block!;
      const { nextEpochAt } = (await chain.metagraph(subnet.netuid)).subnet;
      await node.newBlocks(nextEpochAt + 1 - (await chain.head()).number);
      await vi.waitFor(() => expect(setter.state()?.outcome).toBe('committed'), { timeout: 20_000 });
      const { block, hotkey } = setter.state()!;
      expect([hotkey, block! > settingBlock]).toEqual([subnet.validator.address, true]);
      const lastUpdate = (await storage('lastUpdate', subnet.netuid)) as number[];
      expect(lastUpdate[0]).toBe(block);
      const commits = await subnet.api.query.subtensorModule!.crv3WeightCommits!.entries(subnet.netuid);
      expect(commits).toHaveLength(1);
    } finally {
      await setter.stop();
      await Promise.all([chain.close(), subnet.close()]);
      await node.close();
    }
  });
});

describe('shares', () => {
  it('leave what is burnt to nobody, or to the hotkey that takes it', () => {
    expect([...sharesOf(peers)]).toEqual([
      ['a', 0.3],
      ['b', 0.2],
    ]);
    expect(sharesOf(peers, 'owner').get('owner')).toBeCloseTo(0.5, 12);
    expect(sharesOf(peers, 'a').get('a')).toBeCloseTo(0.8, 12);
  });

  it('burn no rounding', () => {
    const thirds = ['a', 'b', 'c'].map((hotkey) => ({ hotkey, weight: 1 / 3 + 1e-13 }));
    expect([...sharesOf(thirds, 'owner').keys()]).toEqual(['a', 'b', 'c']);
  });
});
