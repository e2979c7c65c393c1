/** Which peers the leaderboard shows, and in which order. */
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import type { PeerLabels } from '../client/source.ts';

export type Filter = 'all' | 'contributing' | 'flagged' | 'own';
export type SortKey = 'rank' | 'rating' | 'poc' | 'peerScore' | 'weight';

export interface Selection {
  readonly filter: Filter;
  /** Part of a hotkey or a name, or a uid. */
  readonly search: string;
  readonly sort: SortKey;
  readonly reversed: boolean;
}

/** Standings of a peer's first windows, which nothing is held against. */
const HARMLESS: ReadonlySet<string> = new Set(['new', 'probation']);
/** A peer that missed one window may only have been late. */
const RECENT_WINDOWS = 2;

export function flagsAgainst({ flags }: LeaderboardEntry): readonly string[] {
  return flags.filter((flag) => !HARMLESS.has(flag));
}

/** Best first. */
const BY: Readonly<Record<SortKey, (a: LeaderboardEntry, b: LeaderboardEntry) => number>> = {
  rank: (a, b) => (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER),
  rating: (a, b) => b.rating.ordinal - a.rating.ordinal,
  poc: (a, b) => b.poc - a.poc,
  peerScore: (a, b) => b.peerScore - a.peerScore,
  weight: (a, b) => b.weight - a.weight,
};

/** @param window the newest published one */
export function selectPeers(
  peers: readonly LeaderboardEntry[],
  { filter, search, sort, reversed }: Selection,
  { window, own, labels }: { readonly window: number; readonly own: string | undefined; readonly labels: PeerLabels },
): LeaderboardEntry[] {
  const wanted = search.trim().toLowerCase();
  const passes = (peer: LeaderboardEntry): boolean => {
    switch (filter) {
      case 'all':
        return true;
      case 'contributing':
        return peer.lastDelivered > 0 && peer.lastDelivered > window - RECENT_WINDOWS;
      case 'flagged':
        return flagsAgainst(peer).length > 0;
      case 'own':
        return peer.hotkey === own;
    }
  };
  const found = ({ uid, hotkey }: LeaderboardEntry): boolean =>
    wanted === '' ||
    String(uid) === wanted ||
    hotkey.toLowerCase().includes(wanted) ||
    (labels.get(hotkey)?.name.toLowerCase().includes(wanted) ?? false);
  const order = reversed ? -1 : 1;
  return peers.filter((peer) => passes(peer) && found(peer)).sort((a, b) => order * BY[sort](a, b) || a.uid - b.uid);
}
