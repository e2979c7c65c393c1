/** Which rows of a long leaderboard are drawn: the best, and always one's own. */
import type { LeaderboardEntry } from '../../core/protocol/api.ts';

const MAX_ROWS = 200;

export function visibleRows(
  peers: readonly LeaderboardEntry[],
  own: string | undefined,
  maxRows = MAX_ROWS,
): { readonly rows: readonly LeaderboardEntry[]; readonly hidden: number } {
  const best = peers.slice(0, maxRows);
  const mine = peers.slice(maxRows).filter(({ hotkey }) => hotkey === own);
  return { rows: [...best, ...mine], hidden: peers.length - best.length - mine.length };
}
