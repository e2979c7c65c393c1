/** Why one's score is what it is, and the means to check it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { ShareButton } from '../share/share-button.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';
import { Scores } from './scores.tsx';
import { VerifyCard } from './verify/verify-card.tsx';

export default function ScoresScreen() {
  const { t } = useLingui();
  return (
    <>
      <ScreenHead title={t`Scores`}>
        <Trans>
          Why your score is what it is: each check of each window, what it measured, and what follows from it.
        </Trans>
      </ScreenHead>
      <Scores />
      <VerifyCard />
      <ShareButton />
    </>
  );
}
