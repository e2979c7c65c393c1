/** The page: what every screen has, and the screen. */
import { lazy, Suspense } from 'react';
import { Router } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { AlertList } from './alerts/alert-list.tsx';
import { useRunAlerts } from './alerts/use-run-alerts.ts';
import styles from './app.module.css';
import { useApp } from './client/app-context.ts';
import { Header } from './header.tsx';
import { ContributeKeeper } from './contribute/keeper.tsx';
import { CurrentScreen } from './navigation/current-screen.tsx';
import { UnreachableNotice } from './run/unreachable-notice.tsx';
import { UpdateNotice } from './shell/update-notice.tsx';
import { VersionNotice } from './shell/version-notice.tsx';
import { Notice } from './ui/notice.tsx';

const DemoPanel = lazy(() =>
  import('./demo/demo-panel.tsx').then(({ DemoPanel: component }) => ({ default: component })),
);

const ReplayBar = lazy(() =>
  import('./replay/replay-bar.tsx').then(({ ReplayBar: component }) => ({ default: component })),
);

export function App() {
  const { source, parameters } = useApp();
  const { complaints } = parameters;
  useRunAlerts();
  return (
    <Router hook={useHashLocation}>
      <div className={styles['page']}>
        <Header />
        {source.kind === 'demo' && (
          <Suspense>
            <DemoPanel source={source} />
          </Suspense>
        )}
        {source.kind === 'replay' && (
          <Suspense>
            <ReplayBar source={source} />
          </Suspense>
        )}
        <main className={styles['main']}>
          {complaints.map((complaint) => (
            <Notice key={complaint} tone="warn">
              {complaint}
            </Notice>
          ))}
          <UpdateNotice />
          <VersionNotice />
          <UnreachableNotice />
          {source.kind !== 'replay' && <ContributeKeeper />}
          <AlertList />
          <CurrentScreen />
        </main>
      </div>
    </Router>
  );
}
