/** Ed25519 keys of this browser: made by WebCrypto, not extractable, so that a secret never leaves where it was made. */
import type { Signer } from '../../core/identity/signing.ts';
import type { StoredKey } from './database.ts';

/** No key can be had; `remedy` says what a person can do. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

const ALGORITHM = { name: 'Ed25519' } as const;

/** @throws KeyError where the browser cannot make one */
export async function createKey(subtle: SubtleCrypto | undefined = webCrypto()): Promise<StoredKey> {
  if (!subtle) {
    throw new KeyError(
      'This page is not in a secure context, so the browser offers no cryptography.',
      'Open the app over https:// or from localhost.',
    );
  }
  try {
    const { privateKey, publicKey } = await subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
    return { privateKey, publicKey: new Uint8Array(await subtle.exportKey('raw', publicKey)) };
  } catch (cause) {
    throw new KeyError(
      'This browser cannot make Ed25519 keys.',
      'Update the browser: Chrome and Edge 137, Firefox 130 and Safari 17 or newer can.',
      { cause },
    );
  }
}

export function signerOf({ privateKey, publicKey }: StoredKey): Signer {
  return {
    publicKey,
    sign: async (message) => new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, message)),
  };
}

function webCrypto(): SubtleCrypto | undefined {
  return (globalThis.crypto as Crypto | undefined)?.subtle;
}
