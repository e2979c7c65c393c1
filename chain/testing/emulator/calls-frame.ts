/** Calls of the other pallets: system, balances, commitments, and the settings of adminUtils. */
import { Refusal, requireRoot, signer, type Call } from './dispatch.ts';
import { PALLET, balanceOf, setBalance, subnetExists, uidOf } from './subnets.ts';

const EXISTENTIAL_DEPOSIT = 500n;
const MAX_COMMIT_FIELDS = 1;

const transfer =
  (keepAlive: boolean): Call =>
  (context, args) => {
    const { storage } = context;
    const from = signer(context);
    const to = args.account('dest');
    const free = balanceOf(storage, from);
    const amount = args.has('value') ? args.big('value') : free;
    if (amount > free) throw new Refusal('Balances', 'InsufficientBalance');
    const left = free - amount;
    if (keepAlive && left < EXISTENTIAL_DEPOSIT) throw new Refusal('Balances', 'Expendability');
    if (balanceOf(storage, to) + amount < EXISTENTIAL_DEPOSIT) throw new Refusal('Balances', 'ExistentialDeposit');
    setBalance(storage, from, left);
    setBalance(storage, to, balanceOf(storage, to) + amount);
    context.event('Balances', 'Transfer', from, to, amount);
  };

/** `sudo.sudo(system.setStorage(…))` writes anything, here as on a real chain with a sudo key. */
const setStorage: Call = (context, args) => {
  requireRoot(context);
  for (const [key, value] of args.get('items').toJSON() as [string, string][]) context.storage.setRaw(key, value);
};

const setCommitment: Call = (context, args) => {
  const { storage, block } = context;
  const who = signer(context);
  const netuid = args.number('netuid');
  if (uidOf(storage, netuid, who) === null) throw new Refusal('Commitments', 'AccountNotAllowedCommit');
  const info = args.get('info');
  const { fields } = info.toJSON() as { fields: unknown[] };
  if (fields.length > MAX_COMMIT_FIELDS) throw new Refusal('Commitments', 'TooManyFieldsInCommitmentInfo');
  if (storage.has('commitments', 'lastCommitment', netuid, who)) {
    const last = storage.number('commitments', 'lastCommitment', netuid, who);
    if (block < last + storage.number('commitments', 'rateLimit')) {
      throw new Refusal('Commitments', 'CommitmentSetRateLimitExceeded');
    }
  }
  storage.set('commitments', 'commitmentOf', [netuid, who], { deposit: 0, block, info });
  storage.set('commitments', 'lastCommitment', [netuid, who], block);
  context.event('Commitments', 'Commitment', netuid, who);
};

interface Setting {
  readonly item: string;
  /** The subnet's owner may set it, not root alone. */
  readonly owner: boolean;
}

/** Settings of a subnet: the call, and the storage item its second argument goes to. */
const SUBNET_SETTINGS: Readonly<Record<string, Setting>> = {
  sudoSetTempo: { item: 'tempo', owner: false },
  sudoSetMaxAllowedUids: { item: 'maxAllowedUids', owner: false },
  sudoSetMaxAllowedValidators: { item: 'maxAllowedValidators', owner: false },
  sudoSetMaxRegistrationsPerBlock: { item: 'maxRegistrationsPerBlock', owner: false },
  sudoSetTargetRegistrationsPerInterval: { item: 'targetRegistrationsPerInterval', owner: false },
  sudoSetWeightsSetRateLimit: { item: 'weightsSetRateLimit', owner: true },
  sudoSetWeightsVersionKey: { item: 'weightsVersionKey', owner: true },
  sudoSetMinAllowedWeights: { item: 'minAllowedWeights', owner: true },
  sudoSetMaxWeightLimit: { item: 'maxWeightsLimit', owner: true },
  sudoSetImmunityPeriod: { item: 'immunityPeriod', owner: true },
  sudoSetServingRateLimit: { item: 'servingRateLimit', owner: true },
  sudoSetActivityCutoff: { item: 'activityCutoff', owner: true },
  sudoSetNetworkRegistrationAllowed: { item: 'networkRegistrationAllowed', owner: true },
  sudoSetCommitRevealWeightsEnabled: { item: 'commitRevealWeightsEnabled', owner: true },
  sudoSetCommitRevealWeightsInterval: { item: 'revealPeriodEpochs', owner: true },
};

const GLOBAL_SETTINGS: Readonly<Record<string, string>> = {
  sudoSetNetworkRateLimit: 'networkRateLimit',
  sudoSetStakeThreshold: 'stakeThreshold',
};

const subnetSetting =
  ({ item, owner }: Setting): Call =>
  (context, args) => {
    const { storage, origin } = context;
    const netuid = args.number('netuid');
    if (!owner || origin !== storage.text(PALLET, 'subnetOwner', netuid)) requireRoot(context);
    if (!subnetExists(storage, netuid)) throw new Refusal('AdminUtils', 'SubnetDoesNotExist');
    storage.set(PALLET, item, [netuid], args.at(1));
  };

const globalSetting =
  (item: string): Call =>
  (context, args) => {
    requireRoot(context);
    context.storage.set(PALLET, item, [], args.at(0));
  };

const table = <T>(settings: Readonly<Record<string, T>>, toCall: (setting: T) => Call): Record<string, Call> =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [`adminUtils.${name}`, toCall(setting)]));

export const FRAME_CALLS: Readonly<Record<string, Call>> = {
  'system.remark': (context) => void signer(context),
  'system.setStorage': setStorage,
  'balances.transferAllowDeath': transfer(false),
  'balances.transferKeepAlive': transfer(true),
  'balances.transferAll': transfer(false),
  'commitments.setCommitment': setCommitment,
  ...table(SUBNET_SETTINGS, subnetSetting),
  ...table(GLOBAL_SETTINGS, globalSetting),
};
