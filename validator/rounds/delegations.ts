/** Who may act for a hotkey: each rule with a refusal of its own. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { verifyAccountSignature } from '../../core/identity/account-signature.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { delegationText, wrappedBytes } from '../../core/identity/delegation.ts';
import { isRemarkOf, signedBytesOfPayload } from '../../core/identity/remark-proof.ts';
import { verifySignature, type VerifySignature } from '../../core/identity/signing.ts';
import { AddressError, decodeAddress } from '../../core/identity/ss58.ts';
import type { Delegation, JoinRequest, WalletJoin } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RunContext } from './context.ts';
import { ChainUnreachableError, type RunChain } from './ports.ts';
import type { PeerRow } from './store.ts';

const DAY_MS = 24 * 3_600_000;
const MAX_DELEGATION_MS = 90 * DAY_MS;
/** How far ahead a peer's clock may be. */
export const MAX_SKEW_MS = 5 * 60_000;

function accountOf(address: string, field: string): Uint8Array {
  try {
    return decodeAddress(address);
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new ProblemError('wrong-address', `${field} is not an SS58 address of prefix 42: ${cause.message}.`, {
      cause,
    });
  }
}

/** @param now milliseconds since the epoch */
function assertTime({ issuedAt, expiresAt }: Delegation, now: number): void {
  const issued = Date.parse(issuedAt);
  const expires = Date.parse(expiresAt);
  if (issued > now + MAX_SKEW_MS) {
    throw new ProblemError(
      'delegation-not-yet-valid',
      'The delegation is issued in the future: set this device’s clock, or use serverTime of /v1/clock.',
    );
  }
  if (expires <= now) throw new ProblemError('delegation-expired', 'The delegation has expired: sign a new one.');
  if (expires <= issued || expires - issued > MAX_DELEGATION_MS) {
    throw new ProblemError(
      'delegation-too-long',
      'A delegation lasts 90 days at most, and ends after it begins: sign one that expires sooner.',
    );
  }
}

function isSignedByWallet(
  { delegation, key, proof }: WalletJoin,
  account: Uint8Array,
  genesisHash: string | undefined,
): boolean {
  const text = delegationText(delegation);
  const signature = hexToBytes(proof.signature);
  if (proof.form === 'bytes') return verifyAccountSignature(key, account, wrappedBytes(text), signature);
  const payload = hexToBytes(proof.payload);
  if (genesisHash === undefined) {
    throw new ProblemError(
      'no-chain',
      'A delegation can be signed as a transaction only in a run with a chain: sign it as a text.',
    );
  }
  return (
    isRemarkOf(payload, text, genesisHash) &&
    verifyAccountSignature(key, account, signedBytesOfPayload(payload), signature)
  );
}

/**
 * Whether a request to join is for this run, for now, and signed by whom it says. Asks nobody.
 *
 * @throws ProblemError `wrong-run`, `guests-not-allowed`, `wrong-address`, `delegation-not-yet-valid`,
 *   `delegation-expired`, `delegation-too-long`, `wrong-signature`, `no-chain`
 */
export function assertSigned(
  { run, manifest }: Pick<RunContext, 'run' | 'manifest'>,
  request: JoinRequest,
  now: number,
  verify: VerifySignature = verifySignature,
): void {
  const { delegation } = request;
  if (delegation.run !== run) {
    throw new ProblemError(
      'wrong-run',
      `The delegation is for run ${delegation.run}; this validator runs ${run}. Read /v1/run and sign again.`,
    );
  }
  if (request.kind === 'guest' && !manifest.guests) {
    throw new ProblemError(
      'guests-not-allowed',
      'This run admits wallets only: connect one whose hotkey is registered.',
    );
  }
  const hotkey = accountOf(delegation.hotkey, 'delegation.hotkey');
  const signer = request.kind === 'guest' ? hotkey : accountOf(request.signer, 'signer');
  assertTime(delegation, now);
  const signed =
    request.kind === 'guest'
      ? verify('delegation', canonicalBytes(delegation), hexToBytes(request.signature), hotkey)
      : isSignedByWallet(request, signer, manifest.chain?.genesisHash);
  if (!signed) {
    throw new ProblemError(
      'wrong-signature',
      request.kind === 'guest'
        ? 'The delegation is not signed by its hotkey over domain "delegation" and its canonical JSON.'
        : `The delegation’s text is not signed by ${request.signer}, or was changed afterwards: sign it again.`,
    );
  }
}

async function ask<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (cause) {
    if (!(cause instanceof ChainUnreachableError)) throw cause;
    throw new ProblemError('chain-unavailable', 'The chain cannot be asked at the moment: try again in a minute.', {
      cause,
    });
  }
}

/**
 * Whether the chain agrees: the signer owns the hotkey, and the hotkey is registered on the run's subnet. Guests of a run
 * that admits them are strangers to the chain.
 *
 * @throws ProblemError `not-the-owner`, `not-registered`, `chain-unavailable`
 */
export async function assertOnChain(request: JoinRequest, chain: RunChain | undefined): Promise<void> {
  if (request.kind === 'guest') return;
  const {
    signer,
    delegation: { hotkey },
  } = request;
  const owner = signer === hotkey ? hotkey : chain ? await ask(chain.ownerOf(hotkey)) : null;
  if (signer !== owner) {
    throw new ProblemError(
      'not-the-owner',
      chain
        ? `On the chain ${hotkey} is not owned by ${signer}: sign with the hotkey, or with the coldkey that owns it.`
        : `In a run without a chain a hotkey signs for itself: sign with ${hotkey}.`,
    );
  }
  if (chain && !(await ask(chain.registration(hotkey)))) {
    throw new ProblemError(
      'not-registered',
      `The hotkey ${hotkey} is not registered on this run’s subnet: register it, or choose one that is.`,
    );
  }
}

/**
 * Whether a peer of a run for registered hotkeys still is one. While no node answers, nobody is turned away who was
 * registered when they joined.
 *
 * @throws ProblemError `not-registered`
 */
export async function assertStillRegistered(
  hotkey: string,
  { guests }: Pick<RunContext['manifest'], 'guests'>,
  chain: RunChain | undefined,
): Promise<void> {
  if (!chain || guests) return;
  try {
    if (await chain.registration(hotkey)) return;
  } catch (error) {
    if (error instanceof ChainUnreachableError) return;
    throw error;
  }
  throw new ProblemError(
    'not-registered',
    `The hotkey ${hotkey} is no longer registered on this run’s subnet: register it again.`,
  );
}

/** The newest that is known of a hotkey's delegations. */
export interface NewestDelegation {
  readonly issuedAt: string;
  /** Everything issued until then is void. */
  readonly revokedAt: string | null;
}

/** @throws ProblemError `delegation-revoked`, `delegation-replaced` */
export function assertNewest({ issuedAt }: Delegation, newest: NewestDelegation | undefined): void {
  if (!newest) return;
  if (newest.revokedAt !== null && Date.parse(issuedAt) <= Date.parse(newest.revokedAt)) {
    throw new ProblemError(
      'delegation-revoked',
      `Delegations of this hotkey until ${newest.revokedAt} were revoked: sign a new one.`,
    );
  }
  if (Date.parse(newest.issuedAt) > Date.parse(issuedAt)) {
    throw new ProblemError('delegation-replaced', 'A newer delegation of this hotkey is in force: sign a new one.');
  }
}

/** Whether a peer's session key may act at this moment. @throws ProblemError `delegation-revoked`, `delegation-expired` */
export function assertInForce(
  { issuedAt, expiresAt, revokedAt }: Pick<PeerRow, 'issuedAt' | 'expiresAt' | 'revokedAt'>,
  now: number,
): void {
  if (revokedAt !== null && Date.parse(issuedAt) <= Date.parse(revokedAt)) {
    throw new ProblemError(
      'delegation-revoked',
      'The delegation to this session key was revoked: sign a new one and join again.',
    );
  }
  if (Date.parse(expiresAt) <= now) {
    throw new ProblemError(
      'delegation-expired',
      'The delegation to this session key has expired: sign a new one and join again.',
    );
  }
}
