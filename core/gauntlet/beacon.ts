/**
 * Randomness that nobody knew before the put phase closed and everybody can recompute afterwards (ours; the reference
 * draws from the clock). The validator commits to a secret before the window and reveals it after; mixed with the hashes
 * of everything that got a receipt, neither it nor a peer chose the outcome alone. Both together can: a validator that also
 * runs a peer may try last uploads until the outcome suits it. Where a chain's block is mixed in, it has to backdate them,
 * for the block is not known before the put phase is over.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { seedFrom } from '../numerics/prng.ts';

const COMMIT_DOMAIN = new TextEncoder().encode('gauntlet/beacon/v1\0');

/** What an accepted upload adds to the beacon. */
export interface BeaconEntry {
  readonly hotkey: string;
  /** SHA-256 of the uploaded bytes, lower-case hex. */
  readonly sha256: string;
}

/**
 * The commitment to a secret: SHA-256('gauntlet/beacon/v1', zero byte, secret).
 *
 * @param secret 32 random bytes in hex, the record's `beacon.reveal`
 * @returns hex, the record's `beacon.commit`
 */
export function beaconCommit(secret: string): string {
  return bytesToHex(sha256(concatBytes(COMMIT_DOMAIN, hexToBytes(secret))));
}

/** The finalised block that ended a put phase, in a run with a chain. */
export interface BeaconBlock {
  readonly number: number;
  /** 0x and 64 hex digits. */
  readonly hash: string;
}

/**
 * The beacon of a window: a seed for `createRandom`.
 *
 * @param secret the revealed secret in hex
 * @param entries every accepted upload; their order does not matter
 * @param block that ended the put phase, in a run with a chain: nobody here chooses its hash
 * @returns 32 bytes
 */
export function beaconOf(
  secret: string,
  window: number,
  entries: readonly BeaconEntry[],
  block?: BeaconBlock,
): Uint8Array<ArrayBuffer> {
  const sorted = entries.map(({ hotkey, sha256: hash }) => `${hotkey}:${hash}`).sort();
  const mixed = block ? [`block ${block.number} ${block.hash}`] : [];
  return seedFrom('gauntlet/beacon/v1', hexToBytes(secret), window, ...sorted, ...mixed);
}

/**
 * The seed of a window's page assignment, known when the window opens and not before.
 *
 * @param previousReveal the secret revealed for the window before, in hex; null in a run's first window
 * @returns 32 bytes in hex, the clock's `assignmentSeed`
 */
export function assignmentSeedOf(previousReveal: string | null, run: string, window: number): string {
  return bytesToHex(seedFrom('gauntlet/assignment/v1', previousReveal ?? '', run, window));
}
