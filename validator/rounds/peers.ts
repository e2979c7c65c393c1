/** Joining a run, and leaving it: a hotkey delegates to a session key. */
import { freshFigures } from '../../core/gauntlet/scoring.ts';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { verifyHex } from '../../core/identity/signing.ts';
import type { JoinRequest, RevocationRequest } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { RunContext, RoundsPorts } from './context.ts';
import { assertNewest, assertOnChain, assertSigned, MAX_SKEW_MS } from './delegations.ts';
import { assertNotCrowded, boundsOf, lastSeen, originOf, type GuestBounds, type GuestLimits } from './guests.ts';
import type { PeerRow, RunStore } from './store.ts';

export interface Admission {
  /** The open one. */
  readonly window: number;
  readonly maxPeers: number;
  /** Without them guests are bounded by `maxPeers` alone. */
  readonly guests?: GuestLimits;
  /** Of the caller, where guests of one are counted. */
  readonly address?: string | undefined;
}

/**
 * Admits a peer, or gives a known one its new session key. The same delegation again is welcome (a reloaded tab); one that
 * is older than the hotkey's newest, or revoked, is refused, so a replayed one cannot bring an old session key back.
 *
 * @throws ProblemError whatever delegations.ts refuses, `too-many-requests`
 */
export async function joinRun(
  context: RunContext,
  { clock, store, chain, signer, verify }: Pick<RoundsPorts, 'clock' | 'store' | 'chain' | 'signer' | 'verify'>,
  request: JoinRequest,
  admission: Admission,
): Promise<PeerRow> {
  const { manifest } = context;
  const { delegation } = request;
  assertSigned(context, request, clock.now(), verify);
  assertNewest(delegation, await store.newestDelegation(delegation.hotkey));
  await assertOnChain(request, chain);
  const { window, maxPeers, address } = admission;
  // A wallet without a chain is as quickly made as a guest's key.
  const guest = request.kind === 'guest' || !chain;
  const origin = guest && address !== undefined ? await originOf(signer, address) : null;
  const bounds = guest && admission.guests ? boundsOf(origin, manifest, { window, maxPeers, limits: admission.guests }) : null; // prettier-ignore
  const fresh = { firstWindow: window, figures: freshFigures(manifest.gauntlet), maxPeers, guest, origin };
  for (let replaces: string | null = null; ;) {
    // Who takes a place over takes none besides.
    const left = bounds && replaces !== null ? { ...bounds, places: null } : bounds;
    const joined: PeerRow | undefined = await store.join(delegation, { ...fresh, bounds: left, replaces });
    if (joined) return joined;
    // There is no room, the one to be replaced came back, another newcomer was quicker, or a newer delegation came.
    assertNewest(delegation, await store.newestDelegation(delegation.hotkey));
    replaces = await peerToReplace(store, manifest, delegation.hotkey, bounds, { window, maxPeers });
  }
}

/**
 * Takes a session key out of force, with every delegation until then. Repeating it is harmless.
 *
 * @throws ProblemError `wrong-run`, `malformed-request`, `unknown-hotkey`, `wrong-signature`, `delegation-not-yet-valid`
 */
export async function revokeDelegation(
  { run }: RunContext,
  { clock, store }: Pick<RoundsPorts, 'clock' | 'store'>,
  hotkey: string,
  { revocation, signature }: RevocationRequest,
): Promise<void> {
  if (revocation.run !== run) {
    throw new ProblemError('wrong-run', `The revocation is for run ${revocation.run}; this validator runs ${run}.`);
  }
  if (revocation.hotkey !== hotkey) {
    throw new ProblemError('malformed-request', 'The revocation names another hotkey than the address.');
  }
  if (Date.parse(revocation.revokedAt) > clock.now() + MAX_SKEW_MS) {
    throw new ProblemError(
      'delegation-not-yet-valid',
      'The revocation is dated in the future: set this device’s clock, or use serverTime of /v1/clock.',
    );
  }
  if (!(await store.peer(hotkey))) throw new ProblemError('unknown-hotkey', `${hotkey} has not joined this run.`);
  const { sessionKey } = revocation;
  // The key that is in force now: one that was replaced has nothing to revoke.
  const signed = verifyHex('revocation', canonicalBytes(revocation), signature, sessionKey);
  if (!signed || !(await store.revoke(hotkey, sessionKey, revocation.revokedAt))) {
    throw new ProblemError('wrong-signature', 'The revocation is not signed by the session key that is in force.');
  }
}

/**
 * Whose uid a hotkey takes over when the run is full: the peer that has been away longest, if that is long enough for
 * its figures to have started afresh. So nobody inherits anything but the number. Where guests alone are too many, one of
 * them makes room.
 *
 * @returns null when there is room, or the hotkey is a peer already
 * @throws ProblemError `too-many-requests`
 */
async function peerToReplace(
  store: RunStore,
  { gauntlet }: RunManifest,
  hotkey: string,
  bounds: GuestBounds | null,
  { window, maxPeers }: Pick<Admission, 'window' | 'maxPeers'>,
): Promise<string | null> {
  const peers = await store.peers();
  if (peers.some((peer) => peer.hotkey === hotkey)) return null;
  const guestsAreTooMany = bounds ? assertNotCrowded(peers, bounds) === 'places' : false;
  if (!guestsAreTooMany && peers.length < maxPeers) return null;
  const present = new Set((await store.contributions(window)).map((row) => row.hotkey));
  const [longest] = peers
    .filter((peer) => peer.guest || !guestsAreTooMany)
    .filter((peer) => !present.has(peer.hotkey) && window - lastSeen(peer) > gauntlet.resetAfterWindows)
    .sort((a, b) => lastSeen(a) - lastSeen(b) || a.uid - b.uid);
  if (!longest) {
    throw new ProblemError(
      'too-many-requests',
      guestsAreTooMany
        ? 'The places for guests are taken: join with a registered hotkey, or try again another day.'
        : `The run is full: it admits ${maxPeers} peers. Try again another day.`,
    );
  }
  return longest.hotkey;
}
