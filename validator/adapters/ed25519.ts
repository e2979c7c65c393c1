/** Ed25519 by OpenSSL: what core/identity/signing.ts does, in a fraction of the time. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { memorySigner, signingBytes, type Signer, type VerifySignature } from '../../core/identity/signing.ts';

/** What comes before a secret key in PKCS #8, and before a public one in SPKI (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Ed25519 is deterministic: these are the very signatures of `memorySigner`. @param secretKey 32 bytes */
export function nodeSigner(secretKey: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secretKey]), format: 'der', type: 'pkcs8' });
  return {
    publicKey: memorySigner(secretKey).publicKey,
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, key))),
  };
}

/**
 * Agrees with `verifySignature` on every signature that a signer makes. On some that were made up (points of small order,
 * encodings that are not canonical) the two may differ, so it is for what this server alone decides, and not for what
 * others have to recompute.
 */
export const nodeVerify: VerifySignature = (domain, message, signature, publicKey) => {
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' });
    return verify(null, signingBytes(domain, message), key, signature);
  } catch {
    return false;
  }
};
