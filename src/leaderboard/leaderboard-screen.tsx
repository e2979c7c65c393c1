/** All peers of the run. */
import { Trans, useLingui } from '@lingui/react/macro';
import { ScreenHead } from '../ui/screen-head.tsx';
import { Leaderboard } from './leaderboard.tsx';

export default function LeaderboardScreen() {
  const { t } = useLingui();
  return (
    <>
      <ScreenHead title={t`Leaderboard`}>
        <Trans>Everybody who takes part, by what their contributions turned out to be worth.</Trans>
      </ScreenHead>
      <Leaderboard />
    </>
  );
}
