/** Reads a subnet and its neurons at one block. */
import type { Codec } from '@polkadot/types/types';
import { fromOption, RAO, toBoolean, toItems, toNumber, toNumbers, U16_MAX } from './decode.ts';
import { ChainError } from './errors.ts';
import { storageOf, type ChainState, type Storage } from './storage.ts';
import type { BlockHead, Metagraph, Neuron, Subnet, WeightRow } from './types.ts';

/** A subnet without a token of its own: its alpha is TAO. */
const MECHANISM_STABLE = 0;

export const subtensor = (state: ChainState): Storage => storageOf(state, 'subtensorModule');

async function number(storage: Storage, item: string, ...keys: unknown[]): Promise<number | null> {
  const value = await storage.read(item, ...keys);
  return value && toNumber(value, item);
}

async function boolean(storage: Storage, item: string, ...keys: unknown[]): Promise<boolean | null> {
  const value = await storage.read(item, ...keys);
  return value && toBoolean(value, item);
}

const amount = (rao: number | null): number | null => rao && rao / RAO;

/** @throws ChainError `no-such-subnet` */
export async function assertSubnet(storage: Storage, netuid: number): Promise<void> {
  if ((await boolean(storage, 'networksAdded', netuid)) ?? true) return;
  throw new ChainError('no-such-subnet', `The chain has no subnet ${netuid}.`, 'Check the netuid, and the network.');
}

/**
 * The block of the next epoch. Where the runtime keeps the last one (spec 404 and newer) it is a tempo after that;
 * before, an epoch ran at every block with (block + netuid + 2) mod (tempo + 1) = 0.
 */
async function nextEpochAt(storage: Storage, netuid: number, tempo: number, block: number): Promise<number> {
  if (tempo === 0) return Number.MAX_SAFE_INTEGER;
  if (!storage.has('lastEpochBlock')) {
    const left = tempo - ((block + netuid + 1) % (tempo + 1));
    // None left: it ran in this very block.
    return block + (left === 0 ? tempo + 1 : left);
  }
  const [last, pending] = await Promise.all([
    number(storage, 'lastEpochBlock', netuid),
    number(storage, 'pendingEpochAt', netuid),
  ]);
  const automatic = Math.max(block + 1, (last ?? block) + tempo);
  return pending !== null && pending > block ? Math.min(automatic, pending) : automatic;
}

/** TAO for an alpha: the pool's own word for it, or the ratio of its reserves. */
async function alphaPrice(state: ChainState, storage: Storage, netuid: number): Promise<number | null> {
  const call = (state.call as Record<string, Record<string, (netuid: number) => Promise<Codec>> | undefined>)[
    'swapRuntimeApi'
  ]?.['currentAlphaPrice'];
  if (call) return toNumber(await call(netuid), 'alpha price') / RAO;
  if (!storage.has('subnetMechanism')) return null;
  if ((await number(storage, 'subnetMechanism', netuid)) === MECHANISM_STABLE) return 1;
  const [tao, alpha] = await Promise.all([
    number(storage, 'subnetTAO', netuid),
    number(storage, 'subnetAlphaIn', netuid),
  ]);
  return tao !== null && alpha ? tao / alpha : null;
}

async function readSubnet(state: ChainState, storage: Storage, netuid: number, block: number): Promise<Subnet> {
  const of = (item: string): Promise<number | null> => number(storage, item, netuid);
  const tempo = (await of('tempo')) ?? 0;
  const [neurons, maxNeurons, immunityPeriod, burn, registrationAllowed, commitReveal, revealPeriodEpochs] =
    await Promise.all([
      of('subnetworkN'),
      of('maxAllowedUids'),
      of('immunityPeriod'),
      of('burn'),
      boolean(storage, 'networkRegistrationAllowed', netuid),
      boolean(storage, 'commitRevealWeightsEnabled', netuid),
      of('revealPeriodEpochs'),
    ]);
  const [weightsRateLimit, minAllowedWeights, maxWeight, weightsVersion, price, next] = await Promise.all([
    of('weightsSetRateLimit'),
    of('minAllowedWeights'),
    of('maxWeightsLimit'),
    of('weightsVersionKey'),
    alphaPrice(state, storage, netuid),
    nextEpochAt(storage, netuid, tempo, block),
  ]);
  return {
    netuid,
    neurons: neurons ?? 0,
    maxNeurons,
    tempo,
    nextEpochAt: next,
    immunityPeriod,
    burn: amount(burn),
    registrationAllowed,
    alphaPrice: price,
    commitReveal: commitReveal ?? false,
    revealPeriodEpochs,
    weightsRateLimit,
    minAllowedWeights,
    maxWeight: maxWeight === null ? null : maxWeight / U16_MAX,
    weightsVersion,
  };
}

/** Figures of neurons by uid; null where the runtime has none, 0 for one registered since they were last computed. */
type Column = (uid: number) => number | null;

async function column(storage: Storage, item: string, netuid: number, unit: number): Promise<Column> {
  const value = await storage.read(item, netuid);
  const numbers = value && toNumbers(value, item);
  return (uid) => numbers && (numbers[uid] ?? 0) / unit;
}

async function flags(storage: Storage, item: string, netuid: number): Promise<(uid: number) => boolean> {
  const value = await storage.read(item, netuid);
  const booleans = value ? toItems(value, item).map((each) => toBoolean(each, item)) : [];
  return (uid) => booleans[uid] ?? false;
}

/** Alpha staked to each hotkey; TAO before subnets had tokens. */
async function stakes(storage: Storage, netuid: number, hotkeys: readonly string[]): Promise<(number | null)[]> {
  const perSubnet = storage.has('totalHotkeyAlpha') || !storage.has('totalHotkeyStake');
  const values = perSubnet
    ? await storage.readMany(
        'totalHotkeyAlpha',
        hotkeys.map((hotkey) => [hotkey, netuid]),
      )
    : await storage.readMany('totalHotkeyStake', hotkeys);
  return values.map((value) => value && toNumber(value, 'stake') / RAO);
}

/** Hotkeys by uid. */
export async function hotkeysByUid(storage: Storage, netuid: number): Promise<ReadonlyMap<number, string>> {
  const entries = await storage.entries('keys', netuid);
  return new Map(
    entries
      .map(({ keys, value }): [number, string] => [toNumber(keys[0]!, 'uid'), (fromOption(value) ?? value).toString()])
      .sort(([a], [b]) => a - b),
  );
}

async function readNeurons(storage: Storage, netuid: number): Promise<Neuron[]> {
  const byUid = await hotkeysByUid(storage, netuid);
  const hotkeys = [...byUid.values()];
  const [owners, stake, registered, active, permit] = await Promise.all([
    storage.readMany('owner', hotkeys),
    stakes(storage, netuid, hotkeys),
    storage.entries('blockAtRegistration', netuid),
    flags(storage, 'active', netuid),
    flags(storage, 'validatorPermit', netuid),
  ]);
  const [incentive, dividends, consensus, validatorTrust, stakeWeight, emission, lastUpdate] = await Promise.all([
    column(storage, 'incentive', netuid, U16_MAX),
    column(storage, 'dividends', netuid, U16_MAX),
    column(storage, 'consensus', netuid, U16_MAX),
    column(storage, 'validatorTrust', netuid, U16_MAX),
    column(storage, 'stakeWeight', netuid, U16_MAX),
    column(storage, 'emission', netuid, RAO),
    column(storage, 'lastUpdate', netuid, 1),
  ]);
  const registeredAt = new Map(
    registered.map(({ keys, value }) => [toNumber(keys[0]!, 'uid'), toNumber(value, 'registration block')]),
  );
  return [...byUid].map(([uid, hotkey], i) => ({
    uid,
    hotkey,
    coldkey: owners[i]?.toString() ?? null,
    active: active(uid),
    validatorPermit: permit(uid),
    stake: stake[i] ?? null,
    stakeWeight: stakeWeight(uid),
    incentive: incentive(uid) ?? 0,
    dividends: dividends(uid) ?? 0,
    consensus: consensus(uid),
    validatorTrust: validatorTrust(uid),
    emission: emission(uid) ?? 0,
    lastUpdate: lastUpdate(uid),
    registeredAt: registeredAt.get(uid) ?? null,
  }));
}

/** @throws ChainError `no-such-subnet`, `unsupported` */
export async function readMetagraph(state: ChainState, block: BlockHead, netuid: number): Promise<Metagraph> {
  const storage = subtensor(state);
  await assertSubnet(storage, netuid);
  const timestamp = storageOf(state, 'timestamp');
  const [subnet, neurons, now] = await Promise.all([
    readSubnet(state, storage, netuid, block.number),
    readNeurons(storage, netuid),
    timestamp.read('now'),
  ]);
  return {
    block,
    at: new Date(now ? toNumber(now, 'time') : 0).toISOString(),
    specVersion: state.runtimeVersion.specVersion.toNumber(),
    subnet,
    neurons,
    missing: [...storage.missing(), ...timestamp.missing()],
  };
}

/** @throws ChainError `no-such-subnet` */
export async function readWeights(state: ChainState, netuid: number): Promise<WeightRow[]> {
  const storage = subtensor(state);
  await assertSubnet(storage, netuid);
  return (await storage.entries('weights', netuid))
    .map(({ keys, value }) => {
      const weights = toItems(value, 'weights').map((pair) => {
        const [uid, weight] = toItems(pair, 'weights').map((each) => toNumber(each, 'weights'));
        return { uid: uid!, weight: weight! };
      });
      const sum = weights.reduce((total, { weight }) => total + weight, 0);
      return {
        validatorUid: toNumber(keys[0]!, 'uid'),
        weights: weights.filter(({ weight }) => weight > 0).map(({ uid, weight }) => ({ uid, share: weight / sum })),
      };
    })
    .filter(({ weights }) => weights.length > 0)
    .sort((a, b) => a.validatorUid - b.validatorUid);
}
