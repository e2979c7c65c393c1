/** Calls of pallet `subtensor`, with the checks of runtime 233 in their order and with its errors. */
import { blake2AsHex } from '@polkadot/util-crypto';
import { Refusal, signer, type Args, type Call, type Context } from './dispatch.ts';
import type { Storage } from './storage.ts';
import {
  PALLET,
  addStake,
  appendNeuron,
  balanceOf,
  blocksUntilEpoch,
  coldkeyOf,
  createAccount,
  epochIndex,
  hotkeyStake,
  refuse,
  registerNeuron,
  subnetExists,
  swapTaoForAlpha,
  uidOf,
  withdraw,
} from './subnets.ts';

const U16_MAX = 65_535;
const MIN_STAKE_WITH_FEE = 550_000n;
const STAKING_FEE = 50_000n;
const MAX_UNREVEALED_COMMITS = 10;

const ensure = (condition: boolean, reason: string): void => {
  if (!condition) refuse(reason);
};

const registerNetwork: Call = (context, args) => {
  const { storage, block } = context;
  const coldkey = signer(context);
  const hotkey = args.account('hotkey');
  ensure((coldkeyOf(storage, hotkey) ?? coldkey) === coldkey, 'NonAssociatedColdKey');
  const last = storage.number(PALLET, 'networkLastRegistered');
  ensure(block - last >= storage.number(PALLET, 'networkRateLimit'), 'NetworkTxRateLimitExceeded');
  const minimum = storage.big(PALLET, 'networkMinLockCost');
  const lastLock = storage.big(PALLET, 'networkLastLockCost');
  const decay = (lastLock / storage.big(PALLET, 'networkLockReductionInterval')) * BigInt(block - last);
  const cost = lastLock * (last === 0 ? 1n : 2n) - decay;
  const lock = cost < minimum ? minimum : cost;
  withdraw(storage, coldkey, lock);

  let netuid = 1;
  while (subnetExists(storage, netuid)) netuid++;
  const set = (item: string, value: unknown): void => storage.set(PALLET, item, [netuid], value);
  set('networksAdded', true);
  set('tempo', storage.number(PALLET, 'tempo', netuid));
  set('networkRegistrationAllowed', true);
  set('maxAllowedUids', 256);
  set('maxAllowedValidators', 64);
  set('minAllowedWeights', 1);
  set('maxWeightsLimit', U16_MAX);
  set('adjustmentInterval', 360);
  set('targetRegistrationsPerInterval', 1);
  set('immunityPeriod', 5000);
  set('minBurn', 1);
  set('subnetMechanism', 1);
  set('networkRegisteredAt', block);
  set('subnetOwner', coldkey);
  set('subnetOwnerHotkey', hotkey);
  set('subnetTAO', minimum);
  set('subnetAlphaIn', minimum);
  storage.set(PALLET, 'totalNetworks', [], storage.number(PALLET, 'totalNetworks') + 1);
  storage.set(PALLET, 'networkLastRegistered', [], block);
  storage.set(PALLET, 'networkLastLockCost', [], lock);
  createAccount(storage, coldkey, hotkey);
  appendNeuron(storage, netuid, hotkey, block);
  context.event('SubtensorModule', 'NetworkAdded', netuid, 0);
};

/** Registrations that the interval allows; also what the pool goes by. */
export const registrationsExhausted = (storage: Storage, netuid: number): boolean =>
  storage.number(PALLET, 'registrationsThisInterval', netuid) >=
  storage.number(PALLET, 'targetRegistrationsPerInterval', netuid) * 3;

const burnedRegister: Call = (context, args) => {
  const { storage, block } = context;
  const coldkey = signer(context);
  const hotkey = args.account('hotkey');
  const netuid = args.number('netuid');
  ensure(netuid !== 0, 'RegistrationNotPermittedOnRootSubnet');
  ensure(subnetExists(storage, netuid), 'SubNetworkDoesNotExist');
  ensure(storage.flag(PALLET, 'networkRegistrationAllowed', netuid), 'SubNetRegistrationDisabled');
  const thisBlock = storage.number(PALLET, 'registrationsThisBlock', netuid);
  ensure(thisBlock < storage.number(PALLET, 'maxRegistrationsPerBlock', netuid), 'TooManyRegistrationsThisBlock');
  ensure(!registrationsExhausted(storage, netuid), 'TooManyRegistrationsThisInterval');
  ensure(uidOf(storage, netuid, hotkey) === null, 'HotKeyAlreadyRegisteredInSubNet');
  const burn = storage.big(PALLET, 'burn', netuid);
  ensure(balanceOf(storage, coldkey) >= burn, 'NotEnoughBalanceToStake');
  createAccount(storage, coldkey, hotkey);
  ensure(coldkeyOf(storage, hotkey) === coldkey, 'NonAssociatedColdKey');
  ensure(storage.number(PALLET, 'maxAllowedUids', netuid) !== 0, 'NoNeuronIdAvailable');
  withdraw(storage, coldkey, burn);
  const burned = swapTaoForAlpha(storage, netuid, burn);
  storage.set(PALLET, 'subnetAlphaOut', [netuid], storage.big(PALLET, 'subnetAlphaOut', netuid) - burned);
  const uid = registerNeuron(storage, netuid, hotkey, block);
  storage.set(PALLET, 'registrationsThisBlock', [netuid], thisBlock + 1);
  const thisInterval = storage.number(PALLET, 'registrationsThisInterval', netuid);
  storage.set(PALLET, 'registrationsThisInterval', [netuid], thisInterval + 1);
  context.event('SubtensorModule', 'NeuronRegistered', netuid, uid, hotkey);
};

/** What the pool and the call check alike. @throws Refusal */
export const validateAddStake = (storage: Storage, coldkey: string, args: Args): void => {
  const amount = args.big('amount_staked');
  ensure(subnetExists(storage, args.number('netuid')), 'SubnetNotExists');
  ensure(amount >= MIN_STAKE_WITH_FEE, 'AmountTooLow');
  ensure(balanceOf(storage, coldkey) >= amount, 'NotEnoughBalanceToStake');
  ensure(coldkeyOf(storage, args.account('hotkey')) !== null, 'HotKeyAccountNotExists');
};

const addStakeCall: Call = (context, args) => {
  const { storage } = context;
  const coldkey = signer(context);
  validateAddStake(storage, coldkey, args);
  const [hotkey, netuid, amount] = [args.account('hotkey'), args.number('netuid'), args.big('amount_staked')];
  withdraw(storage, coldkey, amount);
  const tao = amount - STAKING_FEE;
  const alpha = swapTaoForAlpha(storage, netuid, tao);
  addStake(storage, netuid, hotkey, coldkey, alpha);
  storage.set(PALLET, 'subnetTAO', [netuid], storage.big(PALLET, 'subnetTAO', netuid) + STAKING_FEE);
  context.event('SubtensorModule', 'StakeAdded', coldkey, hotkey, tao, alpha, netuid);
};

const withinRateLimit = ({ storage, block }: Context, netuid: number, uid: number): boolean => {
  const last = storage.vector(PALLET, 'lastUpdate', netuid)[uid] ?? 0;
  return last === 0 || block - last >= storage.number(PALLET, 'weightsSetRateLimit', netuid);
};

const touch = ({ storage, block }: Context, netuid: number, uid: number): void =>
  storage.set(PALLET, 'lastUpdate', [netuid], storage.vector(PALLET, 'lastUpdate', netuid).with(uid, block));

/** The pool refuses weights of a hotkey with less stake than the threshold. */
export const hasStakeForWeights = (storage: Storage, hotkey: string, netuid: number): boolean =>
  hotkeyStake(storage, hotkey, netuid) >= storage.big(PALLET, 'stakeThreshold');

const setWeights: Call = (context, args) => {
  const { storage } = context;
  const netuid = args.number('netuid');
  ensure(!storage.flag(PALLET, 'commitRevealWeightsEnabled', netuid), 'CommitRevealEnabled');
  const hotkey = signer(context);
  const uids = args.numbers('dests');
  const values = args.numbers('weights');
  ensure(netuid !== 0, 'CanNotSetRootNetworkWeights');
  ensure(uids.length === values.length, 'WeightVecNotEqualSize');
  ensure(subnetExists(storage, netuid), 'SubNetworkDoesNotExist');
  const n = storage.number(PALLET, 'subnetworkN', netuid);
  ensure(uids.length <= n, 'UidsLengthExceedUidsInSubNet');
  const uid = uidOf(storage, netuid, hotkey) ?? refuse('HotKeyNotRegisteredInSubNet');
  ensure(hasStakeForWeights(storage, hotkey, netuid), 'NotEnoughStakeToSetWeights');
  const version = storage.big(PALLET, 'weightsVersionKey', netuid);
  ensure(version === 0n || args.big('version_key') >= version, 'IncorrectWeightVersionKey');
  ensure(withinRateLimit(context, netuid, uid), 'SettingWeightsTooFast');
  const self = uids.length === 1 && uids[0] === uid;
  const permitted = storage.vector(PALLET, 'validatorPermit', netuid)[uid] === 1;
  ensure(self || permitted, 'NeuronNoValidatorPermit');
  ensure(new Set(uids).size === uids.length, 'DuplicateUids');
  ensure(
    uids.every((to) => to < n),
    'UidVecContainInvalidOne',
  );
  const fewest = Math.min(n, storage.number(PALLET, 'minAllowedWeights', netuid));
  ensure(self || values.length >= fewest, 'WeightVecLengthIsLow');
  const largest = Math.max(...values, 0);
  const total = values.reduce((sum, value) => sum + value, 0);
  const limit = storage.number(PALLET, 'maxWeightsLimit', netuid) / U16_MAX;
  ensure(self || limit === 1 || total === 0 || largest / total <= limit, 'MaxWeightExceeded');
  const scaled = values.map((value) => (largest === 0 ? 0 : Math.round((value * U16_MAX) / largest)));
  const row = uids.map((to, i) => [to, scaled[i]!]);
  storage.set(PALLET, 'weights', [netuid, uid], row);
  touch(context, netuid, uid);
  context.event('SubtensorModule', 'WeightsSet', netuid, uid);
};

/** Kept, and never revealed: the emulator has no randomness beacon (drand) to decrypt a commit with. */
const commitTimelocked: Call = (context, args) => {
  const { storage, block } = context;
  const hotkey = signer(context);
  const netuid = args.number('netuid');
  ensure(storage.flag(PALLET, 'commitRevealWeightsEnabled', netuid), 'CommitRevealDisabled');
  const uid = uidOf(storage, netuid, hotkey) ?? refuse('HotKeyNotRegisteredInSubNet');
  ensure(withinRateLimit(context, netuid, uid), 'CommittingWeightsTooFast');
  const tempo = storage.number(PALLET, 'tempo', netuid);
  const epoch = epochIndex(netuid, tempo, block) + (blocksUntilEpoch(netuid, tempo, block) === 0 ? 1 : 0);
  const commits = storage.list(PALLET, 'crv3WeightCommits', netuid, epoch) as [string, string, number][];
  const unrevealed = commits.filter(([who]) => who === hotkey).length;
  ensure(unrevealed < MAX_UNREVEALED_COMMITS, 'TooManyUnrevealedCommits');
  const commit = args.get('commit').toHex();
  const row = [hotkey, commit, args.big('reveal_round')];
  storage.set(PALLET, 'crv3WeightCommits', [netuid, epoch], [...commits, row]);
  context.event('SubtensorModule', 'CRV3WeightsCommitted', hotkey, netuid, blake2AsHex(args.get('commit').toU8a(true)));
  touch(context, netuid, uid);
};

const serveAxon: Call = (context, args) => {
  const { storage, block } = context;
  const hotkey = signer(context);
  const netuid = args.number('netuid');
  ensure(uidOf(storage, netuid, hotkey) !== null, 'HotKeyNotRegisteredInNetwork');
  const [ipType, ip, port] = [args.number('ip_type'), args.big('ip'), args.number('port')];
  ensure(ipType === 4 || ipType === 6, 'InvalidIpType');
  const bits = ipType === 4 ? 32n : 128n;
  const loopback = ipType === 4 ? ip >> 24n === 127n : ip === 1n;
  ensure(ip > 0n && ip < (1n << bits) - 1n && !loopback, 'InvalidIpAddress');
  const last = storage.has(PALLET, 'axons', netuid, hotkey)
    ? (storage.get(PALLET, 'axons', netuid, hotkey).toJSON() as { block: number }).block
    : 0;
  const limit = storage.number(PALLET, 'servingRateLimit', netuid);
  ensure(last === 0 || block - last >= limit, 'ServingRateLimitExceeded');
  ensure(port > 0, 'InvalidPort');
  const numbers = { version: args.number('version'), port, protocol: args.number('protocol') };
  storage.set(PALLET, 'axons', [netuid, hotkey], { ...numbers, block, ip, ipType });
  context.event('SubtensorModule', 'AxonServed', netuid, hotkey);
};

export const SUBTENSOR_CALLS: Readonly<Record<string, Call>> = {
  'subtensorModule.registerNetwork': registerNetwork,
  'subtensorModule.burnedRegister': burnedRegister,
  'subtensorModule.addStake': addStakeCall,
  'subtensorModule.setWeights': setWeights,
  'subtensorModule.commitCrv3Weights': commitTimelocked,
  'subtensorModule.serveAxon': serveAxon,
};

/** Number of InvalidTransaction::Custom that the pool gives for an error of its checks. */
const POOL_CODES: Readonly<Record<string, number>> = {
  AmountTooLow: 1,
  NotEnoughBalanceToStake: 2,
  SubnetNotExists: 3,
  HotKeyAccountNotExists: 4,
};

/** The pool's own look at a call (SubtensorSignedExtension). @returns Custom error n, null when it may pass */
export const poolCode = (storage: Storage, call: string, who: string, args: Args): number | null => {
  if (call === 'subtensorModule.setWeights' || call === 'subtensorModule.commitCrv3Weights') {
    return hasStakeForWeights(storage, who, args.number('netuid')) ? null : 1;
  }
  if (call === 'subtensorModule.burnedRegister')
    return registrationsExhausted(storage, args.number('netuid')) ? 6 : null;
  if (call !== 'subtensorModule.addStake') return null;
  try {
    validateAddStake(storage, who, args);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return POOL_CODES[error.reason] ?? 255;
  }
};
