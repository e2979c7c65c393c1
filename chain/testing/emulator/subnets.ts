/** A subnet's members, stake and pool, as pallet `subtensor` keeps them (runtime 233). */
import { Refusal } from './dispatch.ts';
import type { Storage } from './storage.ts';

export const PALLET = 'subtensorModule';
export const TAO = 1_000_000_000n;

export const refuse = (reason: string): never => {
  throw new Refusal('SubtensorModule', reason);
};

export const subnetExists = (storage: Storage, netuid: number): boolean =>
  storage.flag(PALLET, 'networksAdded', netuid);

/** @returns null for a hotkey without a place on the subnet */
export const uidOf = (storage: Storage, netuid: number, hotkey: string): number | null =>
  storage.has(PALLET, 'uids', netuid, hotkey) ? storage.number(PALLET, 'uids', netuid, hotkey) : null;

/** @returns null for a hotkey the chain has never seen */
export const coldkeyOf = (storage: Storage, hotkey: string): string | null =>
  storage.has(PALLET, 'owner', hotkey) ? storage.text(PALLET, 'owner', hotkey) : null;

export const hotkeyStake = (storage: Storage, hotkey: string, netuid: number): bigint =>
  storage.big(PALLET, 'totalHotkeyAlpha', hotkey, netuid);

/** Blocks until the epoch runs; null where the tempo is 0 and it never does. */
export const blocksUntilEpoch = (netuid: number, tempo: number, block: number): number | null =>
  tempo === 0 ? null : tempo - ((block + netuid + 1) % (tempo + 1));

export const epochIndex = (netuid: number, tempo: number, block: number): number =>
  Math.floor((block + netuid + 1) / (tempo + 1));

/** The balance that an account can spend; fees are none here. */
export const balanceOf = (storage: Storage, address: string): bigint => {
  const { data } = storage.get('system', 'account', address).toJSON() as { data: { free: number | string } };
  return BigInt(data.free);
};

export const setBalance = (storage: Storage, address: string, free: bigint): void => {
  const account = storage.get('system', 'account', address).toJSON() as { data: object };
  storage.set('system', 'account', [address], { ...account, providers: 1, data: { ...account.data, free } });
};

/** Takes from an account what burning or staking costs. */
export const withdraw = (storage: Storage, address: string, amount: bigint): void => {
  const free = balanceOf(storage, address);
  if (free < amount) refuse('NotEnoughBalanceToStake');
  setBalance(storage, address, free - amount);
};

const addUnique = (storage: Storage, item: string, coldkey: string, hotkey: string): void => {
  const hotkeys = storage.list(PALLET, item, coldkey);
  if (!hotkeys.includes(hotkey)) storage.set(PALLET, item, [coldkey], [...hotkeys, hotkey]);
};

export const createAccount = (storage: Storage, coldkey: string, hotkey: string): void => {
  if (coldkeyOf(storage, hotkey) !== null) return;
  storage.set(PALLET, 'owner', [hotkey], coldkey);
  addUnique(storage, 'ownedHotkeys', coldkey, hotkey);
  addUnique(storage, 'stakingHotkeys', coldkey, hotkey);
};

/** Buys alpha from the pool (x·y = k). @returns alpha */
export const swapTaoForAlpha = (storage: Storage, netuid: number, tao: bigint): bigint => {
  const pool = { tao: storage.big(PALLET, 'subnetTAO', netuid), alpha: storage.big(PALLET, 'subnetAlphaIn', netuid) };
  const alpha = pool.alpha - (pool.tao * pool.alpha) / (pool.tao + tao);
  storage.set(PALLET, 'subnetTAO', [netuid], pool.tao + tao);
  storage.set(PALLET, 'subnetAlphaIn', [netuid], pool.alpha - alpha);
  storage.set(PALLET, 'subnetAlphaOut', [netuid], storage.big(PALLET, 'subnetAlphaOut', netuid) + alpha);
  return alpha;
};

/** Alpha for everybody who staked to a hotkey, by their shares. */
export const addHotkeyAlpha = (storage: Storage, netuid: number, hotkey: string, alpha: bigint): void =>
  storage.set(PALLET, 'totalHotkeyAlpha', [hotkey, netuid], hotkeyStake(storage, hotkey, netuid) + alpha);

const FRACTION_BITS = 64n;

const bits = (storage: Storage, item: string, ...keys: unknown[]): bigint =>
  BigInt((storage.get(PALLET, item, ...keys).toJSON() as { bits: number | string }).bits);

/** Alpha for one coldkey's stake to a hotkey: it gets shares (fixed point, 64 bits after the point) at their price. */
export const addStake = (storage: Storage, netuid: number, hotkey: string, coldkey: string, alpha: bigint): void => {
  const total = bits(storage, 'totalHotkeyShares', hotkey, netuid);
  const stake = hotkeyStake(storage, hotkey, netuid);
  const shares = stake === 0n ? alpha << FRACTION_BITS : (alpha * total) / stake;
  const own = bits(storage, 'alpha', hotkey, coldkey, netuid);
  storage.set(PALLET, 'alpha', [hotkey, coldkey, netuid], { bits: own + shares });
  storage.set(PALLET, 'totalHotkeyShares', [hotkey, netuid], { bits: total + shares });
  addHotkeyAlpha(storage, netuid, hotkey, alpha);
  addUnique(storage, 'stakingHotkeys', coldkey, hotkey);
};

/** A vector with an element a uid, and what a new neuron has there. */
const VECTORS: Readonly<Record<string, number | boolean>> = {
  rank: 0,
  trust: 0,
  active: true,
  emission: 0,
  consensus: 0,
  incentive: 0,
  dividends: 0,
  pruningScores: 0,
  validatorTrust: 0,
  validatorPermit: false,
};

const place = (storage: Storage, netuid: number, uid: number, hotkey: string, block: number): void => {
  storage.set(PALLET, 'keys', [netuid, uid], hotkey);
  storage.set(PALLET, 'uids', [netuid, hotkey], uid);
  storage.set(PALLET, 'blockAtRegistration', [netuid, uid], block);
  storage.set(PALLET, 'isNetworkMember', [hotkey, netuid], true);
};

export const appendNeuron = (storage: Storage, netuid: number, hotkey: string, block: number): number => {
  const uid = storage.number(PALLET, 'subnetworkN', netuid);
  storage.set(PALLET, 'subnetworkN', [netuid], uid + 1);
  for (const [item, value] of Object.entries({ ...VECTORS, lastUpdate: block })) {
    storage.set(PALLET, item, [netuid], [...storage.vector(PALLET, item, netuid), value]);
  }
  place(storage, netuid, uid, hotkey, block);
  return uid;
};

/** The lowest pruning score outside immunity (else inside), then the earliest registration; never the owner's. */
const neuronToPrune = (storage: Storage, netuid: number, block: number): number => {
  const scores = storage.vector(PALLET, 'pruningScores', netuid);
  const immunity = storage.number(PALLET, 'immunityPeriod', netuid);
  const owner = storage.text(PALLET, 'subnetOwner', netuid);
  const candidates = scores
    .map((score, uid) => ({ uid, score, registered: storage.number(PALLET, 'blockAtRegistration', netuid, uid) }))
    .filter(({ uid }) => coldkeyOf(storage, storage.text(PALLET, 'keys', netuid, uid)) !== owner)
    .map((neuron) => ({ ...neuron, immune: block - neuron.registered < immunity ? 1 : 0 }))
    .sort((a, b) => a.immune - b.immune || a.score - b.score || a.registered - b.registered || a.uid - b.uid);
  return candidates[0]?.uid ?? 0;
};

const replaceNeuron = (storage: Storage, netuid: number, uid: number, hotkey: string, block: number): void => {
  const old = storage.text(PALLET, 'keys', netuid, uid);
  if (coldkeyOf(storage, old) === storage.text(PALLET, 'subnetOwner', netuid)) return;
  for (const item of ['uids', 'axons']) storage.remove(PALLET, item, netuid, old);
  storage.remove(PALLET, 'isNetworkMember', old, netuid);
  for (const item of ['emission', 'trust', 'consensus', 'incentive', 'dividends', 'active']) {
    const fresh = VECTORS[item] ?? 0;
    storage.set(PALLET, item, [netuid], storage.vector(PALLET, item, netuid).with(uid, Number(fresh)));
  }
  place(storage, netuid, uid, hotkey, block);
};

/** @returns its uid */
export const registerNeuron = (storage: Storage, netuid: number, hotkey: string, block: number): number => {
  if (storage.number(PALLET, 'subnetworkN', netuid) < storage.number(PALLET, 'maxAllowedUids', netuid)) {
    return appendNeuron(storage, netuid, hotkey, block);
  }
  const uid = neuronToPrune(storage, netuid, block);
  replaceNeuron(storage, netuid, uid, hotkey, block);
  return uid;
};
