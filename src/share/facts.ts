/** What a card says of somebody's contribution: figures that the validator published, and nothing that looks like money. */
import type { Leaderboard, PeerState, Rating, WindowSummary } from '../../core/protocol/api.ts';
import { lossPoints, type LossPoint } from '../ui/curve.ts';

export interface CardFacts {
  readonly run: string;
  /** Contributions accepted: one a window. */
  readonly windows: number;
  /** Trained since this tab was opened; nobody counts them further back. */
  readonly tokens: number;
  readonly rank: number | null;
  /** Of how many peers. */
  readonly peers: number;
  readonly rating: Rating;
  /** The model's loss, and where in it one's own contributions are. */
  readonly curve: readonly (LossPoint & { readonly own: boolean })[];
}

/** Windows that a peer surely contributed to: it has a receipt, or its contribution was aggregated. */
export function ownWindows({ receipts, history }: Pick<PeerState, 'receipts' | 'history'>): Set<number> {
  const delivered = receipts.map(({ receipt }) => receipt.window);
  const aggregated = history.filter((point) => point.aggregated).map(({ window }) => window);
  return new Set([...delivered, ...aggregated]);
}

export function cardFacts({
  run,
  peer,
  leaderboard,
  windows,
  tokens,
}: {
  readonly run: string;
  readonly peer: PeerState;
  readonly leaderboard: Leaderboard;
  readonly windows: readonly WindowSummary[];
  readonly tokens: number;
}): CardFacts {
  const own = ownWindows(peer);
  return {
    run,
    windows: peer.contributions.accepted,
    tokens,
    rank: peer.rank,
    peers: leaderboard.peers.length,
    rating: peer.rating,
    curve: lossPoints(windows).map((point) => ({ ...point, own: own.has(point.window) })),
  };
}
