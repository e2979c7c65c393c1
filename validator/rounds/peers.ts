/** Joining a run: a hotkey delegates to a session key. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { verifyHex } from '../../core/identity/signing.ts';
import { AddressError, decodeAddress } from '../../core/identity/ss58.ts';
import type { JoinRequest } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RunContext, RoundsPorts } from './context.ts';
import type { PeerRow, RunStore } from './store.ts';

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
 * Admits a peer, or gives a known one its new session key. A delegation that is older than the hotkey's newest is
 * refused, so a replayed one cannot bring an old session key back.
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
  if (request.kind === 'wallet') throw new ProblemError('not-ready', 'Wallets are not admitted yet.');
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
  const newest = await store.delegatedAt(delegation.hotkey);
  if (newest !== undefined && Date.parse(newest) > issuedAt) {
    throw new ProblemError('delegation-expired', 'A newer delegation of this hotkey is in force: sign a new one.');
  }
  const fresh = { firstWindow: window, figures: freshFigures(manifest.gauntlet) };
  for (;;) {
    const replaces = await peerToReplace(store, manifest, delegation.hotkey, { window, maxPeers });
    const joined = await store.join(delegation, { ...fresh, replaces });
    // The one to be replaced came back, or another newcomer was quicker: look again.
    if (joined) return joined;
  }
}

/**
 * Whose uid a hotkey takes over when the run is full: the peer that has been away longest, if that is long enough for
 * its figures to have started afresh. So nobody inherits anything but the number.
 *
 * @returns null when there is room, or the hotkey is a peer already
 * @throws ProblemError `too-many-requests`
 */
async function peerToReplace(
  store: RunStore,
  { gauntlet }: RunManifest,
  hotkey: string,
  { window, maxPeers }: { window: number; maxPeers: number },
): Promise<string | null> {
  const peers = await store.peers();
  if (peers.length < maxPeers || peers.some((peer) => peer.hotkey === hotkey)) return null;
  const present = new Set((await store.contributions(window)).map((row) => row.hotkey));
  const lastSeen = ({ figures, firstWindow }: PeerRow): number => Math.max(figures.lastDelivered, firstWindow);
  const [longest] = peers
    .filter((peer) => !present.has(peer.hotkey) && window - lastSeen(peer) > gauntlet.resetAfterWindows)
    .sort((a, b) => lastSeen(a) - lastSeen(b) || a.uid - b.uid);
  if (!longest) {
    throw new ProblemError('too-many-requests', `The run is full: it admits ${maxPeers} peers. Try again another day.`);
  }
  return longest.hotkey;
}
