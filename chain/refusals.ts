/** Why the chain refused a transaction, in words, and what can be done. */
import { ChainError } from './errors.ts';

type Words = readonly [message: string, remedy: string];

const WAIT: Words = [
  'This was done too often: the chain’s rate limit allows it again some blocks later.',
  'Wait until the limit is over, then try again.',
];
const NOT_REGISTERED: Words = [
  'The hotkey is not registered on this subnet.',
  'Register it there first, or use one that is registered.',
];
const LOW_STAKE: Words = ['The stake of this hotkey is too low for this.', 'Add stake to the hotkey, then try again.'];
const LOW_BALANCE: Words = ['The account’s balance is too low.', 'Transfer TAO to the account, then try again.'];
const NO_SUBNET: Words = ['The chain has no such subnet.', 'Check the netuid, and the network.'];
const COMMIT: Words = [
  'On this subnet weights have to be committed, and are revealed later (commit-reveal is on).',
  'Plan the weights anew: the plan will commit them.',
];
const MALFORMED: Words = ['The chain finds these weights malformed.', 'Plan them anew from the present metagraph.'];

/** By the runtime's own name of the error (pallets subtensorModule and commitments). */
const MODULE_ERRORS: Readonly<Record<string, Words>> = {
  HotKeyNotRegisteredInSubNet: NOT_REGISTERED,
  HotKeyNotRegisteredInNetwork: NOT_REGISTERED,
  AccountNotAllowedCommit: NOT_REGISTERED,
  HotKeyAccountNotExists: ['The chain does not know this hotkey.', 'Register it, or check the address.'],
  HotKeyAlreadyRegisteredInSubNet: ['The hotkey is registered on this subnet already.', 'There is nothing to do.'],
  NeuronNoValidatorPermit: [
    'The hotkey has no validator permit on this subnet.',
    'Only the validators with the most stake get one, at the end of an epoch: add stake.',
  ],
  NotEnoughStakeToSetWeights: LOW_STAKE,
  NotEnoughStake: LOW_STAKE,
  NotEnoughBalanceToStake: LOW_BALANCE,
  SettingWeightsTooFast: [
    'Weights were set too soon after the last time: the subnet’s rate limit is not over.',
    'Wait until the block that the plan names.',
  ],
  CommittingWeightsTooFast: [
    'Weights were committed too soon after the last time: the subnet’s rate limit is not over.',
    'Wait until the block that the plan names.',
  ],
  TooManyUnrevealedCommits: [
    'Too many commits of this hotkey wait for being revealed.',
    'Wait until the chain has revealed one.',
  ],
  CommitRevealEnabled: COMMIT,
  CommitRevealDisabled: [
    'On this subnet weights are set directly (commit-reveal is off).',
    'Plan the weights anew: the plan will set them.',
  ],
  IncorrectCommitRevealVersion: [
    'The chain reads another version of commits than this app writes.',
    'Update this app.',
  ],
  IncorrectWeightVersionKey: [
    'The subnet’s owner asks for newer validators (version key).',
    'Update this app, or ask the subnet’s owner.',
  ],
  WeightVecLengthIsLow: [
    'The subnet asks for weights on more neurons than these.',
    'Wait until more peers have a weight.',
  ],
  MaxWeightExceeded: ['One neuron’s share is larger than the subnet allows.', 'Plan the weights anew.'],
  WeightVecNotEqualSize: MALFORMED,
  DuplicateUids: MALFORMED,
  UidVecContainInvalidOne: MALFORMED,
  UidsLengthExceedUidsInSubNet: MALFORMED,
  SubNetworkDoesNotExist: NO_SUBNET,
  MechanismDoesNotExist: NO_SUBNET,
  SubnetNotExists: NO_SUBNET,
  TooManyFieldsInCommitmentInfo: ['A commitment has at most three fields.', 'Publish one short text.'],
  SpaceLimitExceeded: [
    'This hotkey has published as many bytes as the chain allows for now.',
    'Wait for the next tempo, then publish again.',
  ],
  CommitmentSetRateLimitExceeded: WAIT,
  TxRateLimitExceeded: WAIT,
  NetworkTxRateLimitExceeded: WAIT,
  ServingRateLimitExceeded: WAIT,
  TooManyRegistrationsThisBlock: WAIT,
  TooManyRegistrationsThisInterval: WAIT,
};

/** `InvalidTransaction::Custom(n)` of a Subtensor node's pool (common/src/transaction_error.rs). */
const POOL_ERRORS: Readonly<Record<number, Words>> = {
  0: ['The coldkey is about to be swapped.', 'Wait until the swap is done.'],
  1: LOW_STAKE,
  2: LOW_BALANCE,
  3: NO_SUBNET,
  4: ['The chain does not know this hotkey.', 'Register it, or check the address.'],
  5: LOW_STAKE,
  6: WAIT,
  10: NOT_REGISTERED,
  11: ['The chain refuses this IP address.', 'Use a public address.'],
  12: WAIT,
  13: ['The chain refuses this port.', 'Use a port above 0.'],
  15: ['The chain refuses the round of the commit.', 'Plan the weights anew.'],
  16: ['The chain has no such commit.', 'Commit again.'],
  19: NOT_REGISTERED,
  255: ['The chain finds the request malformed.', 'Update this app if it happens again.'],
};

/** What every Substrate node's pool may say. */
const POOL_WORDS: readonly (readonly [RegExp, Words])[] = [
  [/bad (signature|proof)/i, ['The chain refuses the signature.', 'Sign again with the account that is named.']],
  [
    /priority is too low|already imported/i,
    ['The same transaction is on its way already.', 'Wait for the next block.'],
  ],
  [/outdated|stale/i, ['The account sent another transaction meanwhile.', 'Try again.']],
  [/ancient birth block/i, ['It took too long to sign.', 'Try again.']],
  [/temporarily banned/i, ['The node has refused this very transaction before.', 'Wait some minutes, then try again.']],
  [/inability to pay|balance too low|payment/i, LOW_BALANCE],
];

function refused([message, remedy]: Words, cause?: unknown): ChainError {
  return new ChainError('refused', message, remedy, { cause });
}

/** @param docs the runtime's own description, said where there is nothing better to say */
export function refusalOfModule({
  section,
  name,
  docs,
}: {
  readonly section: string;
  readonly name: string;
  readonly docs: readonly string[];
}): ChainError {
  const words = Object.hasOwn(MODULE_ERRORS, name) ? MODULE_ERRORS[name] : undefined;
  if (words) return refused([`${words[0]} (${name})`, words[1]]);
  const said = docs.join(' ').trim();
  return refused([
    `The chain refused: ${section}.${name}${said && ` — ${said}`}`,
    'Mend what it says, then try again.',
  ]);
}

/** Wallets say in their own words that nobody signed. */
const NOT_SIGNED = /cancel|reject|denied|declin|locked|not been authorized|user (closed|abort)/i;

/** What is thrown when a transaction is sent: the pool's refusal, or that nobody signed. */
export function refusalOfSending(error: unknown): ChainError {
  if (error instanceof ChainError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const custom = /custom error: (\d+)/i.exec(text);
  const words = custom ? POOL_ERRORS[Number(custom[1])] : POOL_WORDS.find(([pattern]) => pattern.test(text))?.[1];
  if (words) return refused(words, error);
  if (/\b101[0-6]: |invalid transaction/i.test(text)) {
    return refused([`The chain refused: ${text.slice(0, 200)}`, 'Mend what it says, then try again.'], error);
  }
  if (NOT_SIGNED.test(text)) {
    return new ChainError('not-signed', 'The transaction was not signed.', 'Unlock the wallet, then sign.', {
      cause: error,
    });
  }
  return new ChainError('unreachable', `The transaction could not be sent: ${text.slice(0, 200)}`, 'Try again.', {
    cause: error,
  });
}
