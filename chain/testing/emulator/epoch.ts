/**
 * What a block does to subnets before any transaction: alpha comes out, and at its tempo a subnet's epoch runs.
 *
 * The epoch is a simplification of Yuma consensus: incentive is the mean of the validators' weights by their stake,
 * without clipping at the weighted median and without bonds, and dividends go by stake. Permits, outdated weights,
 * the owner's cut and the halves of miners and validators are the runtime's.
 */
import type { Storage } from './storage.ts';
import { PALLET, addHotkeyAlpha, addStake, blocksUntilEpoch, coldkeyOf, hotkeyStake } from './subnets.ts';

const U16_MAX = 65_535;
/** Alpha that a subnet brings out in a block, in 1e-9. */
const ALPHA_PER_BLOCK = 1_000_000_000n;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Shares of 1; all 0 where there is nothing to share. */
const normalise = (values: readonly number[]): number[] => {
  const total = sum(values);
  return values.map((value) => (total === 0 ? 0 : value / total));
};

const toU16 = (shares: readonly number[]): number[] => shares.map((share) => Math.floor(share * U16_MAX));

/** Largest becomes 65535. */
const upscale = (values: readonly number[]): number[] => {
  const largest = Math.max(...values, 0);
  return values.map((value) => (largest === 0 ? 0 : Math.round((value / largest) * U16_MAX)));
};

/** Weights of a validator that count: not on itself, and set since the neuron they are for was registered. */
const rowOf = (storage: Storage, netuid: number, uid: number, registered: readonly number[], updated: number) => {
  const row = registered.map(() => 0);
  for (const [to, value] of storage.list(PALLET, 'weights', netuid, uid) as [number, number][]) {
    if (to !== uid && to < row.length && updated > registered[to]!) row[to] = value;
  }
  return normalise(row);
};

const runEpoch = (storage: Storage, netuid: number): void => {
  const uids = [...Array(storage.number(PALLET, 'subnetworkN', netuid)).keys()];
  const hotkeys = uids.map((uid) => storage.text(PALLET, 'keys', netuid, uid));
  const registered = uids.map((uid) => storage.number(PALLET, 'blockAtRegistration', netuid, uid));
  const updated = storage.vector(PALLET, 'lastUpdate', netuid);
  const cutoff = storage.number(PALLET, 'activityCutoff', netuid);
  const active = updated.map((block) => block + cutoff >= storage.block);
  const threshold = storage.number(PALLET, 'stakeThreshold');
  const stakes = hotkeys.map((hotkey) => Number(hotkeyStake(storage, hotkey, netuid)));
  const stake = normalise(stakes.map((amount) => (amount >= threshold ? amount : 0)));
  const permitted = storage.vector(PALLET, 'validatorPermit', netuid);
  const rows = uids.map((uid) =>
    permitted[uid] === 1 && active[uid] === true
      ? rowOf(storage, netuid, uid, registered, updated[uid]!)
      : registered.map(() => 0),
  );
  const votes = rows.map((row, uid) => (sum(row) > 0 ? stake[uid]! : 0));
  const incentive = normalise(uids.map((to) => sum(rows.map((row, from) => row[to]! * votes[from]!))));
  const dividends = normalise(votes);
  // Where nobody has set weights, validators are paid by stake.
  const shares = sum(votes) > 0 ? incentive.map((share, uid) => (share + dividends[uid]!) / 2) : stake;
  const pending = storage.number(PALLET, 'pendingEmission', netuid);
  const emission = shares.map((share) => Math.floor(share * pending));

  const allowed = storage.number(PALLET, 'maxAllowedValidators', netuid);
  // In a subnet with room for more validators than it has neurons all have a permit, with stake or without.
  const forbidden = uids.toSorted((a, b) => stake[a]! - stake[b]!).slice(0, Math.max(0, uids.length - allowed));
  const figures: Record<string, readonly (number | boolean)[]> = {
    active,
    stakeWeight: toU16(stake),
    validatorPermit: uids.map((uid) => !forbidden.includes(uid)),
    rank: toU16(incentive),
    incentive: toU16(incentive),
    dividends: toU16(dividends),
    consensus: toU16(incentive),
    trust: toU16(incentive.map((share) => (share > 0 ? 1 : 0))),
    validatorTrust: toU16(votes.map((vote) => (vote > 0 ? 1 : 0))),
    pruningScores: upscale(shares),
    emission,
  };
  for (const [item, values] of Object.entries(figures)) storage.set(PALLET, item, [netuid], values);

  emission.forEach((alpha, uid) => {
    if (alpha > 0) addHotkeyStake(storage, netuid, hotkeys[uid]!, BigInt(alpha));
  });
  const ownerHotkey = storage.text(PALLET, 'subnetOwnerHotkey', netuid);
  addHotkeyStake(storage, netuid, ownerHotkey, storage.big(PALLET, 'pendingOwnerCut', netuid));
  for (const item of ['pendingEmission', 'pendingOwnerCut', 'blocksSinceLastStep']) {
    storage.set(PALLET, item, [netuid], 0);
  }
  storage.set(PALLET, 'lastMechansimStepBlock', [netuid], storage.block);
};

/** To those who staked to a hotkey; to its owner where nobody has. */
const addHotkeyStake = (storage: Storage, netuid: number, hotkey: string, alpha: bigint): void => {
  const coldkey = coldkeyOf(storage, hotkey);
  if (coldkey === null || hotkeyStake(storage, hotkey, netuid) > 0n) addHotkeyAlpha(storage, netuid, hotkey, alpha);
  else addStake(storage, netuid, hotkey, coldkey, alpha);
};

/** Runs at the start of each block, for every subnet but root. */
export const stepSubnets = (storage: Storage, netuids: readonly number[]): void => {
  const cut = (ALPHA_PER_BLOCK * storage.big(PALLET, 'subnetOwnerCut')) / BigInt(U16_MAX);
  for (const netuid of netuids) {
    const add = (item: string, amount: bigint): void =>
      storage.set(PALLET, item, [netuid], storage.big(PALLET, item, netuid) + amount);
    storage.set(PALLET, 'registrationsThisBlock', [netuid], 0);
    const adjusted = storage.number(PALLET, 'lastAdjustmentBlock', netuid);
    if (storage.block - adjusted >= storage.number(PALLET, 'adjustmentInterval', netuid)) {
      storage.set(PALLET, 'lastAdjustmentBlock', [netuid], storage.block);
      storage.set(PALLET, 'registrationsThisInterval', [netuid], 0);
    }
    add('subnetAlphaOut', ALPHA_PER_BLOCK);
    add('pendingOwnerCut', cut);
    add('pendingEmission', ALPHA_PER_BLOCK - cut);
    if (blocksUntilEpoch(netuid, storage.number(PALLET, 'tempo', netuid), storage.block) === 0)
      runEpoch(storage, netuid);
    else add('blocksSinceLastStep', 1n);
  }
};
