/** The first screen: what it takes, this tab's contribution as it happens, and what became of it. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Link } from 'wouter';
import { useContribute } from '../client/app-context.ts';
import { LeaderboardTeaser } from '../leaderboard/leaderboard-teaser.tsx';
import { WindowPanel } from '../run/window-panel.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';
import { ContributePanel } from './contribute-panel.tsx';
import styles from './contribute-screen.module.css';
import { LiveLoss } from './live-loss.tsx';
import { PreferencesCard } from './preferences-card.tsx';
import { PreflightCard } from './preflight-card.tsx';
import { ReceiptsCard } from './receipts-card.tsx';
import { isActive } from './state.ts';

export function ContributeScreen() {
  const { t } = useLingui();
  const active = useContribute(({ status }) => isActive(status));
  const trained = useContribute(({ losses }) => losses.steps > 0);
  return (
    <>
      <ScreenHead title={t`Train a language model together, in this tab`}>
        <Trans>
          Your browser computes a small improvement every window. A validator measures what each one is worth, and the
          best become part of the model that everybody shares. <Link href="/learn">How that works</Link>
        </Trans>
      </ScreenHead>
      <div className={styles['pair']}>
        <ContributePanel />
        <div className={styles['stack']}>
          <WindowPanel />
          {active || trained ? <LiveLoss /> : <PreflightCard />}
        </div>
      </div>
      <ReceiptsCard />
      <div className={styles['pair']}>
        <PreferencesCard />
        <LeaderboardTeaser />
      </div>
    </>
  );
}
