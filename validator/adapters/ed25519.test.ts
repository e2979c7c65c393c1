import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySigner, signingBytes, verifySignature } from '../../core/identity/signing.ts';
import { nodeSigner, nodeVerify } from './ed25519.ts';

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message = fc.uint8Array({ maxLength: 400 });

describe('OpenSSL’s Ed25519', () => {
  it('signs as the key would anywhere else', async () => {
    await fc.assert(
      fc.asyncProperty(secret, message, async (key, text) => {
        const [here, elsewhere] = [nodeSigner(key), memorySigner(key)];
        expect(here.publicKey).toEqual(elsewhere.publicKey);
        expect(await here.sign(Uint8Array.from(text))).toEqual(await elsewhere.sign(Uint8Array.from(text)));
      }),
      { numRuns: 30 },
    );
  });

  it('says of every signature, whole or with a bit changed, what the other implementation says', async () => {
    await fc.assert(
      fc.asyncProperty(secret, message, fc.option(fc.nat(511)), async (key, text, changed) => {
        const signer = memorySigner(key);
        const signature = await signer.sign(signingBytes('ticket', text));
        if (changed !== null) signature[changed >> 3]! ^= 1 << (changed & 7);
        const verdict = nodeVerify('ticket', text, signature, signer.publicKey);
        expect(verdict).toBe(changed === null);
        expect(verdict).toBe(verifySignature('ticket', text, signature, signer.publicKey));
        expect(nodeVerify('receipt', text, signature, signer.publicKey)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('is never an error', () => {
    expect(nodeVerify('ticket', new Uint8Array(3), new Uint8Array(5), new Uint8Array(7))).toBe(false);
    expect(nodeVerify('ticket', new Uint8Array(3), new Uint8Array(64), new Uint8Array(32).fill(255))).toBe(false);
  });
});
