/** Signatures as wallets return them: hex, with or without the byte by which a MultiSignature says its kind. */
import { t } from '@lingui/core/macro';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { WalletKey } from '../../core/protocol/api.ts';
import { WalletError } from './wallet-error.ts';

/** By the byte of a MultiSignature. */
const KINDS: readonly WalletKey[] = ['ed25519', 'sr25519', 'ecdsa'];
const BYTES = { ed25519: 64, sr25519: 64, ecdsa: 65 } as const satisfies Record<WalletKey, number>;
/** What Ethereum adds to the recovery bit of an ecdsa signature. */
const ETHEREUM_RECOVERY = 27;

export interface AccountSignature {
  readonly key: WalletKey;
  /** Lower-case hex without 0x: 64 bytes, 65 of ecdsa with a recovery bit of 0 or 1. */
  readonly signature: string;
}

/**
 * @param key the account's kind where the wallet says it; a MultiSignature's own byte goes before
 * @throws WalletError for what is no signature
 */
export function readSignature(answer: unknown, key: WalletKey | undefined): AccountSignature {
  if (typeof answer !== 'string' || !/^0x(?:[0-9a-f]{2}){64,66}$/i.test(answer)) throw malformed();
  const bytes = hexToBytes(answer.slice(2));
  const prefixed = KINDS[bytes[0]!];
  if (prefixed && bytes.length === 1 + BYTES[prefixed] && !(key === 'ecdsa' && bytes.length === BYTES.ecdsa)) {
    return accountSignature(prefixed, bytes.slice(1));
  }
  // Nearly all accounts are of sr25519, so that is what a wallet that says nothing means.
  const plain = key ?? (bytes.length === BYTES.ecdsa ? 'ecdsa' : 'sr25519');
  if (bytes.length !== BYTES[plain]) throw malformed();
  return accountSignature(plain, bytes);
}

function accountSignature(key: WalletKey, bytes: Uint8Array): AccountSignature {
  if (key === 'ecdsa' && bytes[64]! >= ETHEREUM_RECOVERY) bytes[64]! -= ETHEREUM_RECOVERY;
  return { key, signature: bytesToHex(bytes) };
}

function malformed(): WalletError {
  return new WalletError(
    'malformed',
    t`The wallet answered something that is no signature.`,
    t`Update the wallet, or use another account or wallet.`,
  );
}
