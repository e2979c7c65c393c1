/** SS58 addresses (Substrate's base58 with a BLAKE2b checksum) with prefix 42, as hotkeys are written. */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';

const PREFIX = 42;
const PUBLIC_KEY_BYTES = 32;
const CHECKSUM_BYTES = 2;
const CHECKSUM_CONTEXT = new TextEncoder().encode('SS58PRE');

export class AddressError extends Error {
  override readonly name = 'AddressError';
}

function checksum(payload: Uint8Array): Uint8Array {
  return blake2b(concatBytes(CHECKSUM_CONTEXT, payload), { dkLen: 64 }).subarray(0, CHECKSUM_BYTES);
}

/** @param publicKey 32 bytes */
export function encodeAddress(publicKey: Uint8Array): string {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new AddressError('a public key has 32 bytes');
  const payload = concatBytes(Uint8Array.of(PREFIX), publicKey);
  return base58.encode(concatBytes(payload, checksum(payload)));
}

/** The public key of an address. @throws AddressError for a bad letter, length, prefix or checksum. */
export function decodeAddress(address: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(address);
  } catch (cause) {
    throw new AddressError('not base58', { cause });
  }
  if (bytes.length !== 1 + PUBLIC_KEY_BYTES + CHECKSUM_BYTES) throw new AddressError('wrong length');
  if (bytes[0] !== PREFIX) throw new AddressError(`address prefix ${bytes[0]!} is not ${PREFIX}`);
  const payload = bytes.subarray(0, 1 + PUBLIC_KEY_BYTES);
  const expected = checksum(payload);
  if (expected.some((byte, i) => byte !== bytes[1 + PUBLIC_KEY_BYTES + i])) throw new AddressError('wrong checksum');
  return bytes.slice(1, 1 + PUBLIC_KEY_BYTES);
}
