/** Signatures of Substrate accounts. Loads the curves: for those who verify, not for the first screen. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { verify as verifySr25519 } from '@scure/sr25519';
import type { WalletKey } from '../protocol/api.ts';

const EDWARDS_BYTES = 64;
const ECDSA_BYTES = 65;
const blake2b256 = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });
const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The account whose key made a recoverable signature: it is the hash of that key, since an id has 32 bytes and a key 33. */
function ecdsaAccount(message: Uint8Array, signature: Uint8Array): Uint8Array {
  const compact = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact');
  const key = compact.addRecoveryBit(signature[64]!).recoverPublicKey(blake2b256(message));
  return blake2b256(key.toBytes(true));
}

/**
 * Whether an account signed a message; false for anything malformed, never an error.
 *
 * @param account id of 32 bytes: the public key, for ecdsa its BLAKE2b-256
 * @param message the very bytes that were signed (`wrappedBytes`)
 * @param signature 64 bytes; of ecdsa 65, the last the recovery bit
 */
export function verifyAccountSignature(
  key: WalletKey,
  account: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== (key === 'ecdsa' ? ECDSA_BYTES : EDWARDS_BYTES)) return false;
  try {
    switch (key) {
      case 'sr25519':
        return verifySr25519(message, signature, account);
      case 'ed25519':
        return ed25519.verify(signature, message, account);
      case 'ecdsa':
        return equal(ecdsaAccount(message, signature), account);
    }
  } catch {
    return false;
  }
}
