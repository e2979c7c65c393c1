/** The validator's signing key in a file that only its owner may read. */
import { readFile } from 'node:fs/promises';
import { randomSecretKey, type Signer } from '../../core/identity/signing.ts';
import { ifThere, writeDurably } from './durable-file.ts';
import { nodeSigner } from './ed25519.ts';

const SECRET_KEY_BYTES = 32;
/** Reads the key, or makes it on first use. @throws Error when the file is not a key */
export async function keyFileSigner(path: string): Promise<Signer> {
  const stored = await ifThere(readFile(path));
  if (stored && stored.length !== SECRET_KEY_BYTES)
    throw new Error(`${path} is not a key of ${SECRET_KEY_BYTES} bytes`);
  const secret = stored ? new Uint8Array(stored) : randomSecretKey();
  if (!stored) await writeDurably(path, secret, 0o600);
  return nodeSigner(secret);
}
