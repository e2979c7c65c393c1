/**
 * How many guests a run takes. Nobody vouches for them and they cost nothing to make, so that what bounds them is where
 * they come from and how many places there are; a peer whose hotkey is registered on the run's chain is bounded by neither.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { signingBytes, type Signer } from '../../core/identity/signing.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { PeerRow } from './store.ts';

export interface GuestLimits {
  /** Guests of one address who take part at a time. */
  readonly perAddress: number;
  /** Who join in one window, all together. */
  readonly newcomers: number;
  /** Of the places of a run with a chain: the rest is for the registered. */
  readonly share: number;
}

/** A class of thirty behind one address, some of whom begin anew; twice a thousand newcomers; half of the places. */
export const DEFAULT_GUEST_LIMITS: GuestLimits = { perAddress: 40, newcomers: 2_000, share: 0.5 };

const ORIGIN_BYTES = 16;

/**
 * What is kept of an address: a hash that only the holder of the validator's key can make, so that neither a backup nor
 * whoever reads the database learns where guests are.
 */
export async function originOf(signer: Signer, address: string): Promise<string> {
  // Ed25519 is deterministic: the signature is a keyed hash, and is shown to nobody.
  const keyed = await signer.sign(signingBytes('origin', new TextEncoder().encode(address)));
  return bytesToHex(sha256(keyed).subarray(0, ORIGIN_BYTES));
}

/** The last window that a peer showed itself in. */
export const lastSeen = ({ figures, firstWindow }: Pick<PeerRow, 'figures' | 'firstWindow'>): number =>
  Math.max(figures.lastDelivered, firstWindow);

/** What one more guest must not exceed; windows are counted from the newest on. */
export interface GuestBounds {
  /** Where it comes from; null where that is not counted. */
  readonly origin: string | null;
  /** Of its origin, who were seen in this window or later. */
  readonly seenFrom: number;
  readonly perOrigin: number;
  /** The open window, and who may join in it. */
  readonly window: number;
  readonly newcomers: number;
  /** Places for all guests; null where nobody else needs any. */
  readonly places: number | null;
}

export function boundsOf(
  origin: string | null,
  { gauntlet, chain }: Pick<RunManifest, 'gauntlet' | 'chain'>,
  { window, maxPeers, limits }: { readonly window: number; readonly maxPeers: number; readonly limits: GuestLimits },
): GuestBounds {
  return {
    origin,
    seenFrom: window - gauntlet.resetAfterWindows,
    perOrigin: limits.perAddress,
    window,
    newcomers: limits.newcomers,
    places: chain ? Math.floor(limits.share * maxPeers) : null,
  };
}

/** @param peers all of the run, or at least those that are counted. @returns the bound that one more guest would exceed */
export function crowdedBy(
  peers: readonly Pick<PeerRow, 'guest' | 'origin' | 'firstWindow' | 'figures'>[],
  { origin, seenFrom, perOrigin, window, newcomers, places }: GuestBounds,
): 'origin' | 'newcomers' | 'places' | undefined {
  const guests = peers.filter(({ guest }) => guest);
  const neighbours = guests.filter((peer) => peer.origin === origin && lastSeen(peer) >= seenFrom);
  if (origin !== null && neighbours.length >= perOrigin) return 'origin';
  if (guests.filter(({ firstWindow }) => firstWindow === window).length >= newcomers) return 'newcomers';
  return places !== null && guests.length >= places ? 'places' : undefined;
}

/** @returns as `crowdedBy`, but for what no guest can mend by going. @throws ProblemError `too-many-requests` */
export function assertNotCrowded(peers: readonly PeerRow[], bounds: GuestBounds): 'places' | undefined {
  const crowded = crowdedBy(peers, bounds);
  if (crowded === 'origin') {
    throw new ProblemError(
      'too-many-requests',
      `${bounds.perOrigin} guests of your network take part already: join with a wallet, or when some have been away.`,
    );
  }
  if (crowded === 'newcomers') {
    throw new ProblemError('too-many-requests', 'Too many guests joined in this window: try again in the next one.');
  }
  return crowded;
}
