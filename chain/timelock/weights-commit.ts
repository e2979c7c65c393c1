/** Weights that are encrypted until the epoch in which the chain reveals them. */
import { concatBytes } from '@noble/hashes/utils.js';
import { ChainError } from '../errors.ts';
import { QUICKNET, encryptToRound } from './tlock.ts';

/**
 * What a runtime reads. `timelocked` (spec 299 and newer, call `commit_timelocked_weights`) names the hotkey in what is
 * encrypted and tries every block of the reveal epoch; `crv3` (call `commit_crv3_weights`) does neither.
 */
export type CommitFormat = 'timelocked' | 'crv3';

export interface WeightsToCommit {
  readonly format: CommitFormat;
  /** Public key of the hotkey that will sign, 32 bytes. */
  readonly hotkey: Uint8Array;
  readonly uids: readonly number[];
  /** u16, one for each uid. */
  readonly values: readonly number[];
  readonly versionKey: number;
  /** A finalised block, and when it was made, in ms of Unix time. */
  readonly block: { readonly number: number; readonly at: number };
  /** The block after it at which the next epoch runs, and blocks of an epoch. */
  readonly nextEpochAt: number;
  readonly tempo: number;
  readonly revealPeriodEpochs: number;
  readonly blockSeconds: number;
}

export interface WeightsCommit {
  readonly commit: Uint8Array;
  /** Round of drand's quicknet whose signature decrypts it. */
  readonly revealRound: number;
}

/** MAX_CRV3_COMMIT_SIZE_BYTES of the runtime. */
const MAX_COMMIT_BYTES = 5_000;
/** Blocks into the reveal epoch at which the round falls (SECURITY_BLOCK_OFFSET of bittensor-drand 1.2). */
const BLOCKS_INTO_EPOCH = 3;
/** Rounds that a chain lags behind drand, for runtimes that look once (SUBTENSOR_PULSE_DELAY of bittensor-drand 0.5). */
const PULSE_DELAY_ROUNDS = 24;

/**
 * The round for weights that are committed in the epoch of `block`. One too early lets them be read early; one too late
 * loses them, because the chain looks in the reveal epoch alone. A commit that slips into the next epoch is of the
 * first kind.
 */
export function revealRound(
  weights: Pick<WeightsToCommit, 'format' | 'block' | 'nextEpochAt' | 'tempo' | 'revealPeriodEpochs' | 'blockSeconds'>,
): number {
  const { format, block, nextEpochAt, tempo, revealPeriodEpochs, blockSeconds } = weights;
  // An epoch takes tempo blocks, and tempo + 1 before spec 404: the shorter is the safe one.
  const revealBlock = nextEpochAt + (revealPeriodEpochs - 1) * tempo;
  const offset = format === 'timelocked' ? BLOCKS_INTO_EPOCH : 0;
  const seconds = block.at / 1000 + (revealBlock + offset - block.number) * blockSeconds;
  const round = Math.floor((seconds - QUICKNET.genesis) / QUICKNET.period);
  return Math.max(1, format === 'timelocked' ? round : round - PULSE_DELAY_ROUNDS);
}

/** SCALE's compact length, for fewer than 2^14 elements, and the elements. */
function vector(elements: Uint8Array, length: number): Uint8Array {
  const prefix = length < 64 ? [length << 2] : [((length << 2) | 1) & 0xff, length >> 6];
  return concatBytes(Uint8Array.from(prefix), elements);
}

function u16s(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint16(2 * i, value, true);
  return vector(bytes, values.length);
}

/** `WeightsTlockPayload` of the runtime (coinbase/reveal_commits.rs) in SCALE. */
export function encodePayload({
  format,
  hotkey,
  uids,
  values,
  versionKey,
}: Pick<WeightsToCommit, 'format' | 'hotkey' | 'uids' | 'values' | 'versionKey'>): Uint8Array {
  const version = new Uint8Array(8);
  new DataView(version.buffer).setBigUint64(0, BigInt(versionKey), true);
  const owner = format === 'timelocked' ? vector(hotkey, hotkey.length) : new Uint8Array();
  return concatBytes(owner, u16s(uids), u16s(values), version);
}

/** @throws ChainError `invalid` for what no runtime accepts */
export function encryptWeightsCommit(weights: WeightsToCommit): WeightsCommit {
  const { hotkey, uids, values, versionKey } = weights;
  const isU16 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 65_535;
  const wellFormed =
    hotkey.length === 32 &&
    uids.length === values.length &&
    [...uids, ...values].every(isU16) &&
    Number.isSafeInteger(versionKey) &&
    versionKey >= 0;
  const payload = wellFormed ? encodePayload(weights) : undefined;
  const round = revealRound(weights);
  const commit = payload && encryptToRound(payload, round);
  if (!commit || commit.length > MAX_COMMIT_BYTES) {
    throw new ChainError(
      'invalid',
      `These ${uids.length} weights cannot be committed.`,
      'Send at most as many as the subnet has neurons, each a whole number from 0 to 65535.',
    );
  }
  return { commit, revealRound: round };
}
