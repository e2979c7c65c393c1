/** Why one's score is what it is. */
import { ShareButton } from '../share/share-button.tsx';
import { Scores } from './scores.tsx';

export default function ScoresScreen() {
  return (
    <>
      <Scores />
      <ShareButton />
    </>
  );
}
