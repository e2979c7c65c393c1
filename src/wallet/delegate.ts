/** The one signature: what is asked of the wallet, and the join request that comes of it. */
import { t } from '@lingui/core/macro';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { delegationText } from '../../core/identity/delegation.ts';
import type { Delegation, WalletJoin } from '../../core/protocol/api.ts';
import type { WalletAccount } from './accounts.ts';
import { answerOf, type ConnectedWallet, type Patience } from './injected.ts';
import { readSignature } from './signature.ts';
import { WalletError } from './wallet-error.ts';

export const EXPIRY_DAYS = [7, 30, 90] as const;
export type ExpiryDays = (typeof EXPIRY_DAYS)[number];

const DAY_MS = 24 * 3_600_000;

export function createDelegation(about: {
  readonly run: string;
  readonly hotkey: string;
  readonly sessionKey: Uint8Array;
  readonly days: ExpiryDays;
  /** The validator's time, ms since the epoch. */
  readonly serverNow: number;
}): Delegation {
  // Not dated back: what is issued after a revocation has to be later than it.
  const issuedAt = about.serverNow;
  return {
    run: about.run,
    hotkey: about.hotkey,
    sessionKey: bytesToHex(about.sessionKey),
    scopes: ['contribute'],
    issuedAt: new Date(issuedAt).toISOString(),
    expiresAt: new Date(issuedAt + about.days * DAY_MS).toISOString(),
  };
}

/** Shows the delegation's text in the wallet and waits for the signature. @throws WalletError */
export async function signDelegation(
  { wallet, signer }: ConnectedWallet,
  account: WalletAccount,
  delegation: Delegation,
  patience: Patience,
): Promise<WalletJoin> {
  const { signRaw } = signer;
  if (typeof signRaw !== 'function') throw cannotSign(wallet.name);
  const data = `0x${bytesToHex(utf8ToBytes(delegationText(delegation)))}`;
  const request = { address: account.walletAddress, data, type: 'bytes' as const };
  const answer = await answerOf(wallet, () => signRaw.call(signer, request), patience).catch((error: unknown) => {
    throw error instanceof WalletError && /ledger|hardware|unsupported|not supported/i.test(error.message)
      ? cannotSign(wallet.name, error)
      : error;
  });
  const { key, signature } = readSignature((Object(answer) as { signature?: unknown }).signature, account.key);
  return { kind: 'wallet', delegation, signer: account.address, key, proof: { form: 'bytes', signature } };
}

function cannotSign(wallet: string, cause?: unknown): WalletError {
  return new WalletError(
    'cannot-sign',
    t`${wallet} cannot sign a text with this account. Accounts on a hardware device, such as a Ledger, sign transactions only.`,
    t`Choose an account whose key is in the wallet itself: it may be a hotkey made for this purpose, without any funds.`,
    { cause },
  );
}

/** From here on a person is reminded to sign again: the last fifth of its life, at most three days. ms since the epoch */
export function renewalDueMs({ issuedAt, expiresAt }: Pick<Delegation, 'issuedAt' | 'expiresAt'>): number {
  const endsMs = Date.parse(expiresAt);
  return endsMs - Math.min(3 * DAY_MS, (endsMs - Date.parse(issuedAt)) / 5);
}
