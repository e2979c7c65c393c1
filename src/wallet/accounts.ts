/** Accounts of an injected wallet, as this app uses them: addresses of prefix 42, and why some cannot be used. */
import { t } from '@lingui/core/macro';
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { encodeAddress } from '../../core/identity/ss58.ts';
import { WalletKeySchema, type WalletKey } from '../../core/protocol/api.ts';
import type { InjectedAccount } from './extension-types.ts';

export interface WalletAccount {
  /** SS58 of prefix 42; as the wallet wrote it for an account that cannot be used. */
  readonly address: string;
  /** As the wallet wrote it: what it must be asked with. */
  readonly walletAddress: string;
  readonly name: string;
  /** Undefined where the wallet does not say. */
  readonly key: WalletKey | undefined;
  /** Why it cannot be used here. */
  readonly unsupported?: string;
}

const PUBLIC_KEY_BYTES = 32;
const CHECKSUM_BYTES = 2;
const SS58_PREFIX = new TextEncoder().encode('SS58PRE');
const MAX_ACCOUNTS = 500;
const MAX_NAME = 60;

/** An address of any network's prefix (one or two bytes), in prefix 42. @returns undefined for what is no address */
export function withPrefix42(address: string): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(address);
  } catch {
    return undefined;
  }
  // Bit 6 of the first byte says that the prefix has a second one; bit 7 is reserved.
  const prefixBytes = bytes[0]! < 64 ? 1 : 2;
  if (bytes.length !== prefixBytes + PUBLIC_KEY_BYTES + CHECKSUM_BYTES || bytes[0]! > 127) return undefined;
  const payload = bytes.subarray(0, -CHECKSUM_BYTES);
  const checksum = blake2b(concatBytes(SS58_PREFIX, payload), { dkLen: 64 });
  if (bytes.at(-2) !== checksum[0] || bytes.at(-1) !== checksum[1]) return undefined;
  return encodeAddress(payload.slice(prefixBytes));
}

/** What a wallet answered, whatever it is: entries that are no accounts are left out. */
export function readAccounts(answer: unknown): readonly WalletAccount[] {
  if (!Array.isArray(answer)) return [];
  const seen = new Set<string>();
  return answer.slice(0, MAX_ACCOUNTS).flatMap((entry: unknown) => {
    const account = readAccount(entry);
    if (!account || seen.has(account.address)) return [];
    seen.add(account.address);
    return [account];
  });
}

function readAccount(entry: unknown): WalletAccount | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { address, name, type } = entry as Partial<Record<keyof InjectedAccount, unknown>>;
  if (typeof address !== 'string') return undefined;
  const named = typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, MAX_NAME) : t`Unnamed account`;
  if (type === 'ethereum' || /^0x[0-9a-f]{40}$/i.test(address)) {
    return {
      address,
      walletAddress: address,
      name: named,
      key: undefined,
      unsupported: t`An Ethereum account: Bittensor hotkeys are Substrate accounts.`,
    };
  }
  const own = withPrefix42(address);
  if (own === undefined) return undefined;
  const key = WalletKeySchema.safeParse(type);
  return { address: own, walletAddress: address, name: named, key: key.success ? key.data : undefined };
}
