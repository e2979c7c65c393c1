/** Why one's score is what it is. */
import { Scores } from './scores.tsx';

export default function ScoresScreen() {
  return <Scores />;
}
