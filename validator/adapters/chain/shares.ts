/** What a run gives its peers, as shares that a chain is told. */
import type { LeaderboardEntry } from '../../../core/protocol/api.ts';

/** Less than this of all weight is rounding. */
const NOTHING = 1e-9;

/**
 * Shares of 1 by hotkey. A run's weights may sum to less than 1 (a profile that burns, or nobody with a positive score).
 * Weights on a chain are relative, so that what goes to nobody here is spread over the others there, unless a hotkey
 * takes it.
 *
 * @param burnHotkey gets what the run gives nobody
 */
export function sharesOf(
  peers: readonly Pick<LeaderboardEntry, 'hotkey' | 'weight'>[],
  burnHotkey?: string,
): ReadonlyMap<string, number> {
  const shares = new Map(peers.filter(({ weight }) => weight > 0).map(({ hotkey, weight }) => [hotkey, weight]));
  const burnt = 1 - [...shares.values()].reduce((sum, share) => sum + share, 0);
  if (burnHotkey !== undefined && burnt > NOTHING) shares.set(burnHotkey, (shares.get(burnHotkey) ?? 0) + burnt);
  return shares;
}
