/** The hotkey that signs a validator's weights, from a file that only its owner may read. */
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import type { ChainSigner } from '../../../chain/types.ts';

/** The file is not there, not private, or not a key. Says nothing of what is in it. */
export class HotkeyFileError extends Error {
  override readonly name = 'HotkeyFileError';
}

/** Longer than any mnemonic with derivations, or key file. */
const MAX_BYTES = 4_096;
const FOR_OTHERS = 0o077;
const BITTENSOR_PREFIX = 42;

/** Seed, mnemonic or neither, then derivations; the library would take other short text for a seed in letters. */
const SECRET_URI = /^(0x[0-9a-fA-F]{64}|([a-z]+ ){11,23}[a-z]+)?(\/{1,2}[^/]+)*(\/{3}.*)?$/;

/** A hotkey as Bittensor's own wallet stores it. */
const WalletFileSchema = z.object({ secretSeed: z.string().nullish(), secretPhrase: z.string().nullish() });

/** @returns undefined for what is no key */
function secretIn(text: string): string | undefined {
  if (!text.startsWith('{')) return text;
  try {
    const { secretSeed, secretPhrase } = WalletFileSchema.parse(JSON.parse(text));
    return secretSeed ?? secretPhrase ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param path holds a mnemonic, a seed (0x and 64 hex digits) or a secret URI, or is a hotkey file of Bittensor's wallet
 * @throws HotkeyFileError
 */
export async function readHotkeyFile(path: string): Promise<ChainSigner> {
  const { mode, size } = await stat(path).catch(() => {
    // Not quoted: it may be the secret itself, in the place of a file's name.
    throw new HotkeyFileError('the hotkey’s file cannot be read; a path is wanted, never the key itself');
  });
  if (process.platform !== 'win32' && (mode & FOR_OTHERS) !== 0) {
    throw new HotkeyFileError(`${path} holds a secret and others may read it; run: chmod 600 ${path}`);
  }
  const secret = size <= MAX_BYTES ? secretIn((await readFile(path, 'utf8')).trim()) : undefined;
  // Only who names a key pays for loading the library.
  const { Keyring } = await import('@polkadot/api');
  try {
    if (!secret || !SECRET_URI.test(secret)) throw new Error('no secret URI');
    const pair = new Keyring({ type: 'sr25519', ss58Format: BITTENSOR_PREFIX }).createFromUri(secret);
    return { address: pair.address, account: pair, kind: 'pair' };
  } catch {
    // The library's own message may quote the secret.
    throw new HotkeyFileError(
      `${path} holds no key: a mnemonic, a seed (0x…), a secret URI or a hotkey file is wanted`,
    );
  }
}
