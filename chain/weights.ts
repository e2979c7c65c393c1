/** From shares by hotkey to what a chain takes as a validator's weights. */
import type { ApiPromise } from '@polkadot/api';
import { decodeAddress } from '../core/identity/ss58.ts';
import { ChainError } from './errors.ts';
import { U16_MAX } from './decode.ts';
import { encryptWeightsCommit, type CommitFormat } from './timelock/weights-commit.ts';
import { callOf, hasCall, submit } from './transactions.ts';
import type { ChainSigner, Inclusion, Metagraph, WeightsPlan } from './types.ts';

/** Version of the commits that this app writes, for runtimes that ask. */
const COMMIT_REVEAL_VERSION = 4;
const BLOCK_SECONDS = 12;
/** A share of the largest that is rounding, and as a divisor would leave the range of numbers. */
const NEGLIGIBLE = 1e-12;

/**
 * Shares with none above a limit: what is over it goes to the others in proportion. Where even equal shares are above
 * it they become equal.
 *
 * @param shares positive, summing to 1
 * @param limit largest share, of 1
 */
function capped(shares: readonly number[], limit: number): readonly number[] {
  if (shares.length * limit <= 1) return shares.map(() => 1 / shares.length);
  let atLimit = new Set<number>();
  for (;;) {
    const free = shares.reduce((sum, share, i) => (atLimit.has(i) ? sum : sum + share), 0);
    const scale = (1 - atLimit.size * limit) / free;
    const over = new Set(shares.flatMap((share, i) => (atLimit.has(i) || share * scale > limit ? [i] : [])));
    if (over.size === atLimit.size) return shares.map((share, i) => (atLimit.has(i) ? limit : share * scale));
    atLimit = over;
  }
}

/**
 * The u16 values that a chain is sent: the largest is 65535, as the runtime itself scales them; what rounds to nothing
 * is left out.
 *
 * @param shares not negative, of any sum
 * @param maxWeight largest share a uid may get, of 1
 * @returns values by the index of their share, ascending
 */
export function normaliseWeights(
  shares: readonly number[],
  maxWeight = 1,
): readonly { readonly index: number; readonly value: number }[] {
  const largest = Math.max(0, ...shares.filter(Number.isFinite));
  // Relative to the largest first: the sum of tiny shares may be smaller than any number.
  const relative = shares.map((share, index) => ({ share: share / largest, index }));
  const positive = relative.filter(({ share }) => share > NEGLIGIBLE && Number.isFinite(share));
  if (positive.length === 0) return [];
  const sum = positive.reduce((total, { share }) => total + share, 0);
  const limited = capped(
    positive.map(({ share }) => share / sum),
    maxWeight,
  );
  const top = Math.max(...limited);
  // Under a limit nothing is rounded down: the largest value's share of their sum would be above it by the rounding.
  const round = maxWeight < 1 ? Math.ceil : Math.round;
  return positive
    .map(({ index }, i) => ({ index, value: Math.min(U16_MAX, round((limited[i]! / top) * U16_MAX)) }))
    .filter(({ value }) => value > 0);
}

/** @throws ChainError `refused` when the validator's hotkey is not registered */
export function planOf(
  { subnet, neurons, block }: Metagraph,
  hotkey: string,
  weights: ReadonlyMap<string, number>,
): WeightsPlan {
  const validator = neurons.find((neuron) => neuron.hotkey === hotkey);
  if (!validator) {
    throw new ChainError(
      'refused',
      `The validator’s hotkey ${hotkey} is not registered on subnet ${subnet.netuid}.`,
      'Register it there first, or use one that is registered.',
    );
  }
  const uids = new Map(neurons.map((neuron) => [neuron.hotkey, neuron.uid]));
  const wanted = [...weights].filter(([, share]) => share > 0);
  const registered = wanted
    .flatMap(([each, share]) => {
      const uid = uids.get(each);
      return uid === undefined ? [] : [{ uid, hotkey: each, share }];
    })
    .sort((a, b) => a.uid - b.uid);
  const maxWeight = subnet.maxWeight ?? 1;
  const entries = normaliseWeights(
    registered.map(({ share }) => share),
    maxWeight,
  ).map(({ index, value }) => ({ uid: registered[index]!.uid, hotkey: registered[index]!.hotkey, value }));
  const { lastUpdate, validatorPermit, uid } = validator;
  const allowedFrom = lastUpdate && subnet.weightsRateLimit ? lastUpdate + subnet.weightsRateLimit : 0;
  const toItself = entries.length === 1 && entries[0]!.uid === uid;
  const least = Math.min(subnet.minAllowedWeights ?? 0, subnet.neurons);
  const obstacles = [
    entries.length === 0 && 'No registered hotkey has a weight.',
    !validatorPermit && !toItself && `Uid ${uid} has no validator permit: it has too little stake.`,
    entries.length > 0 &&
      entries.length < least &&
      !toItself &&
      `The subnet asks for weights on at least ${least} neurons; these are on ${entries.length}.`,
    entries.length > 0 &&
      entries.length * maxWeight < 1 &&
      !toItself &&
      `The subnet gives one neuron ${(100 * maxWeight).toFixed(2)} % at most; ${entries.length} of them cannot hold all weight.`,
    // The next block is the first that a transaction can be in.
    allowedFrom > block.number + 1 &&
      `The rate limit of ${subnet.weightsRateLimit} blocks is over at block ${allowedFrom}; this is block ${block.number}.`,
  ].filter((obstacle) => obstacle !== false);
  return {
    method: subnet.commitReveal ? 'commit' : 'set',
    validatorUid: uid,
    entries,
    unregistered: wanted.map(([each]) => each).filter((each) => !uids.has(each)),
    allowedFrom,
    obstacles,
  };
}

/** Calls that take a timelocked commit, newest first, with what they are given besides netuid, commit and round. */
const COMMIT_CALLS: readonly { readonly method: string; readonly format: CommitFormat; readonly rest: unknown[] }[] = [
  { method: 'commitTimelockedWeights', format: 'timelocked', rest: [COMMIT_REVEAL_VERSION] },
  { method: 'commitCrv3Weights', format: 'crv3', rest: [] },
];

/** @throws ChainError */
export async function sendPlan(
  api: ApiPromise,
  { subnet, block, at }: Metagraph,
  plan: WeightsPlan,
  signer: ChainSigner,
): Promise<Inclusion> {
  const uids = plan.entries.map(({ uid }) => uid);
  const values = plan.entries.map(({ value }) => value);
  const versionKey = subnet.weightsVersion ?? 0;
  if (plan.method === 'set') {
    const call = callOf(api, 'subtensorModule', 'setWeights', subnet.netuid, uids, values, versionKey);
    return submit(api, call, signer);
  }
  const way = COMMIT_CALLS.find(({ method }) => hasCall(api, 'subtensorModule', method));
  if (!way) {
    throw new ChainError(
      'unsupported',
      'The subnet wants weights committed, and this chain’s runtime has no timelocked commits.',
      'Ask the subnet’s owner to switch commit-reveal off.',
    );
  }
  const { commit, revealRound } = encryptWeightsCommit({
    format: way.format,
    hotkey: decodeAddress(signer.address),
    uids,
    values,
    versionKey,
    block: { number: block.number, at: Date.parse(at) },
    nextEpochAt: subnet.nextEpochAt,
    tempo: subnet.tempo,
    revealPeriodEpochs: subnet.revealPeriodEpochs ?? 1,
    blockSeconds: BLOCK_SECONDS,
  });
  const hex = `0x${[...commit].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  const call = callOf(api, 'subtensorModule', way.method, subnet.netuid, hex, revealRound, ...way.rest);
  return submit(api, call, signer);
}
