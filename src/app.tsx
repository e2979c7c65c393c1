/** The page: what stands where. */
import styles from './app.module.css';
import { Header } from './header.tsx';
import { HowItWorks } from './how-it-works.tsx';
import { useApp } from './client/app-context.ts';
import { ContributePanel } from './contribute/contribute-panel.tsx';
import { LiveLoss } from './contribute/live-loss.tsx';
import { Leaderboard } from './leaderboard/leaderboard.tsx';
import { RunPanel } from './run/run-panel.tsx';
import { UnreachableNotice } from './run/unreachable-notice.tsx';
import { WindowPanel } from './run/window-panel.tsx';
import { Scores } from './scores/scores.tsx';
import { Notice } from './ui/notice.tsx';

export function App() {
  const { complaints } = useApp().parameters;
  return (
    <div className={styles['page']}>
      <Header />
      <main className={styles['main']}>
        <div className={styles['lead']}>
          <h1>Train a language model together, in this tab</h1>
          <p>
            Your browser computes a small improvement every window. A validator measures what each one is worth, and the
            best become part of the model that everybody shares.
          </p>
        </div>
        {complaints.map((complaint) => (
          <Notice key={complaint} tone="warn">
            {complaint}
          </Notice>
        ))}
        <UnreachableNotice />
        <div className={styles['pair']}>
          <ContributePanel />
          <div className={styles['stack']}>
            <WindowPanel />
            <LiveLoss />
          </div>
        </div>
        <Scores />
        <div className={styles['pair']}>
          <Leaderboard />
          <RunPanel />
        </div>
        <HowItWorks />
      </main>
    </div>
  );
}
