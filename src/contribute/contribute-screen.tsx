/** The first screen: this tab's contribution, the run, and how both do. */
import { HowItWorks } from '../learn/how-it-works.tsx';
import { Leaderboard } from '../leaderboard/leaderboard.tsx';
import { RunPanel } from '../run/run-panel.tsx';
import { WindowPanel } from '../run/window-panel.tsx';
import { Scores } from '../scores/scores.tsx';
import { ContributePanel } from './contribute-panel.tsx';
import styles from './contribute-screen.module.css';
import { LiveLoss } from './live-loss.tsx';

export function ContributeScreen() {
  return (
    <>
      <div className={styles['lead']}>
        <h1>Train a language model together, in this tab</h1>
        <p>
          Your browser computes a small improvement every window. A validator measures what each one is worth, and the
          best become part of the model that everybody shares.
        </p>
      </div>
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
    </>
  );
}
