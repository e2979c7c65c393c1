/** No Gauntlet: for comparison. It measures what the paper's profile measures, and acts on none of it. */
import { NoGauntletSchema, type GauntletParameters, type NoGauntlet } from '../../protocol/manifest.ts';
import { paperProfile } from './paper.ts';
import type { GauntletProfile } from './profile.ts';

/** The same constants, where these make sense without Gauntlet. */
export function withoutGauntlet(params: GauntletParameters): NoGauntlet {
  return NoGauntletSchema.strip().parse({ ...params, profile: 'none' });
}

/** Whatever has the right form is aggregated, and everybody who delivered gets the same. */
export function noProfile(params: NoGauntlet): GauntletProfile {
  return {
    ...paperProfile({ ...params, profile: 'paper', weightPower: 1 }),
    weights(peers) {
      const delivered = peers.filter((peer) => peer.delivered).length;
      return peers.map((peer) => (peer.delivered ? 1 / delivered : 0));
    },
    aggregated: (_window, ranked) => ranked.filter(({ wellFormed }) => wellFormed),
  };
}
