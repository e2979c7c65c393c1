/**
 * Ed25519 signatures of the protocol. What is signed is `gauntlet/<domain>/v1`, a zero byte and the message, so that a
 * signature made for one purpose is worth nothing for another. Run, window and content are in the message itself.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

export type SigningDomain =
  'manifest' | 'delegation' | 'ticket' | 'contribution' | 'receipt' | 'book' | 'revocation' | 'origin';

/** Something that signs: a non-extractable WebCrypto key in a tab, a key file on a server. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** @param message the bytes of `signingBytes` @returns 64 bytes */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** The exact bytes that a signature of `domain` is over. */
export function signingBytes(domain: SigningDomain, message: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(new TextEncoder().encode(`gauntlet/${domain}/v1\0`), message);
}

/** Signs in hex. */
export async function signHex(signer: Signer, domain: SigningDomain, message: Uint8Array): Promise<string> {
  return bytesToHex(await signer.sign(signingBytes(domain, message)));
}

/** Whether a signature verifies; false for anything malformed, never an error. */
export type VerifySignature = (
  domain: SigningDomain,
  message: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
) => boolean;

/** The one that all sides agree on, to the last made-up signature. */
export const verifySignature: VerifySignature = (domain, message, signature, publicKey) => {
  try {
    return ed25519.verify(signature, signingBytes(domain, message), publicKey);
  } catch {
    return false;
  }
};

/** `verifySignature` on hex. */
export function verifyHex(domain: SigningDomain, message: Uint8Array, signature: string, publicKey: string): boolean {
  try {
    return verifySignature(domain, message, hexToBytes(signature), hexToBytes(publicKey));
  } catch {
    return false;
  }
}

/** A signer over a secret key held in memory: servers and simulated peers. @param secretKey 32 bytes */
export function memorySigner(secretKey: Uint8Array): Signer {
  const publicKey = ed25519.getPublicKey(secretKey);
  return { publicKey, sign: (message) => Promise.resolve(ed25519.sign(message, secretKey)) };
}

/** A fresh secret key from the system's randomness. */
export function randomSecretKey(): Uint8Array {
  return ed25519.utils.randomSecretKey();
}
