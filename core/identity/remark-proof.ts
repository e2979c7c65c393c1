/**
 * A delegation signed as a transaction: hardware wallets sign nothing else. The transaction is `system.remark` of the
 * delegation's text. It is never sent, and would do nothing if it were: a remark changes no state, and costs a fee at most.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Calls of the System pallet, which every Substrate chain has first: `remark` and `remark_with_event`. */
const REMARKS = [
  [0, 0],
  [0, 7],
] as const;
/** Substrate signs the hash of longer payloads. */
const LONGEST_PLAIN_BYTES = 256;

/** SCALE's compact form of a length below 2^30. */
function compact(length: number): Uint8Array {
  if (length < 64) return Uint8Array.of(length << 2);
  if (length < 2 ** 14) return Uint8Array.of(((length << 2) | 1) & 0xff, length >> 6);
  const word = (length << 2) | 2;
  return Uint8Array.of(word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24);
}

const startsWith = (bytes: Uint8Array, prefix: Uint8Array, at = 0): boolean =>
  prefix.every((byte, i) => byte === bytes[at + i]);

function includes(bytes: Uint8Array, wanted: Uint8Array, from: number): boolean {
  for (let at = from; at + wanted.length <= bytes.length; at++) if (startsWith(bytes, wanted, at)) return true;
  return false;
}

/**
 * The bytes that an account signs of a signing payload.
 *
 * @param payload call, extensions and what these imply, in SCALE
 */
export function signedBytesOfPayload(payload: Uint8Array): Uint8Array {
  return payload.length > LONGEST_PLAIN_BYTES ? blake2b(payload, { dkLen: 32 }) : payload;
}

/**
 * Whether a signing payload is a remark of exactly this text, made for this chain.
 *
 * @param genesisHash 0x and 64 hex digits: the signature of a transaction is bound to a chain by it
 */
export function isRemarkOf(payload: Uint8Array, text: string, genesisHash: string): boolean {
  const bytes = utf8ToBytes(text);
  const argument = new Uint8Array([...compact(bytes.length), ...bytes]);
  const call = REMARKS.some((remark) => startsWith(payload, Uint8Array.from(remark)));
  const end = 2 + argument.length;
  return call && startsWith(payload, argument, 2) && includes(payload, hexToBytes(genesisHash.slice(2)), end);
}
