/** All peers of the run. */
import { Leaderboard } from './leaderboard.tsx';

export default function LeaderboardScreen() {
  return <Leaderboard />;
}
