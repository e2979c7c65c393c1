/** How a peer starts, and starts afresh after a long absence. */
import type { GauntletParameters } from '../../core/protocol/manifest.ts';
import { freshRating } from '../../core/gauntlet/rating.ts';
import type { PeerFigures } from './store.ts';

export function freshFigures({ rating }: GauntletParameters): PeerFigures {
  return {
    rating: freshRating(rating),
    poc: 0,
    sync: null,
    gate: 1,
    peerScore: 0,
    weight: 0,
    rank: null,
    evaluations: 0,
    waited: 0,
    lastDelivered: 0,
    flags: ['new'],
  };
}
