/** Joining a run: a hotkey delegates to a session key. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { verifyHex } from '../../core/identity/signing.ts';
import { AddressError, decodeAddress } from '../../core/identity/ss58.ts';
import type { JoinRequest } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RunContext, RoundsPorts } from './context.ts';
import type { PeerRow } from './store.ts';

const DAY_MS = 24 * 3_600_000;
const MAX_DELEGATION_MS = 90 * DAY_MS;
/** How far ahead a peer's clock may be. */
const MAX_SKEW_MS = 5 * 60_000;

function publicKeyOf(hotkey: string): string {
  try {
    return bytesToHex(decodeAddress(hotkey));
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new ProblemError(
      'malformed-request',
      `delegation.hotkey is not an SS58 address of prefix 42: ${cause.message}.`,
      { cause },
    );
  }
}

/**
 * Admits a peer, or gives a known one its new session key. A delegation that is older than the one in force is refused,
 * so a replayed one cannot bring an old session key back.
 *
 * @throws ProblemError `wrong-run`, `guests-not-allowed`, `malformed-request`, `delegation-expired`, `wrong-signature`,
 *   `too-many-requests`
 */
export async function joinRun(
  { run, manifest }: RunContext,
  { clock, store }: Pick<RoundsPorts, 'clock' | 'store'>,
  request: JoinRequest,
  { window, maxPeers }: { window: number; maxPeers: number },
): Promise<PeerRow> {
  const { delegation, signature } = request;
  if (delegation.run !== run) {
    throw new ProblemError(
      'wrong-run',
      `The delegation is for run ${delegation.run}; this validator runs ${run}. Read /v1/run and sign again.`,
    );
  }
  if (!manifest.guests) {
    throw new ProblemError(
      'guests-not-allowed',
      'This run admits wallets only: connect one whose hotkey is registered.',
    );
  }
  const publicKey = publicKeyOf(delegation.hotkey);
  const now = clock.now();
  const issuedAt = Date.parse(delegation.issuedAt);
  const expiresAt = Date.parse(delegation.expiresAt);
  if (issuedAt > now + MAX_SKEW_MS) {
    throw new ProblemError(
      'delegation-expired',
      'The delegation is issued in the future: set this device’s clock, or use serverTime of /v1/clock.',
    );
  }
  if (expiresAt <= now) throw new ProblemError('delegation-expired', 'The delegation has expired: sign a new one.');
  if (expiresAt <= issuedAt || expiresAt - issuedAt > MAX_DELEGATION_MS) {
    throw new ProblemError(
      'delegation-expired',
      'A delegation may last 90 days at most: sign one that expires sooner.',
    );
  }
  if (!verifyHex('delegation', canonicalBytes(delegation), signature, publicKey)) {
    throw new ProblemError(
      'wrong-signature',
      'The delegation is not signed by its hotkey over domain "delegation" and its canonical JSON.',
    );
  }
  const known = await store.peer(delegation.hotkey);
  if (known && Date.parse(known.issuedAt) > issuedAt) {
    throw new ProblemError('delegation-expired', 'A newer delegation of this hotkey is in force: sign a new one.');
  }
  if (!known && (await store.peerCount()) >= maxPeers) {
    throw new ProblemError('too-many-requests', `The run is full: it admits ${maxPeers} peers. Try again another day.`);
  }
  return store.join(delegation, { firstWindow: window, figures: freshFigures(manifest.gauntlet) });
}
