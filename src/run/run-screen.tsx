/** The run and the model that it trains: for whoever watches, whether or not they take part. */
import { useLingui } from '@lingui/react/macro';
import { useApp } from '../client/app-context.ts';
import { ScreenHead } from '../ui/screen-head.tsx';
import { AdversaryCard } from './adversary/adversary-card.tsx';
import { ContributorsCard } from './contributors-card.tsx';
import { DownloadCard } from './download-card.tsx';
import { ManifestCard } from './manifest-card.tsx';
import { RunPanel } from './run-panel.tsx';
import styles from './run-screen.module.css';
import { SamplesCard } from './samples/samples-card.tsx';
import { StatusCard } from './status-card.tsx';
import { TalkCard } from './talk/talk-card.tsx';
import { WindowPanel } from './window-panel.tsx';
import { WindowsCard } from './windows-card.tsx';

export default function RunScreen() {
  const { t } = useLingui();
  const { source } = useApp();
  // A recording has figures, but no parameters and no window that is open.
  const live = source.kind !== 'replay';
  return (
    <>
      <ScreenHead title={t`Run`}>
        {t`One model, trained by everybody at once. How it is doing, who works on it, and who tried to spoil it.`}
      </ScreenHead>
      <div className={styles['columns']}>
        <RunPanel />
        <div className={styles['stack']}>
          {live && <WindowPanel />}
          <ContributorsCard />
        </div>
      </div>
      <AdversaryCard />
      <div className={styles['even']}>
        <SamplesCard />
        {live ? <TalkCard /> : <ManifestCard />}
      </div>
      <WindowsCard />
      {live && (
        <div className={styles['even']}>
          <ManifestCard />
          <div className={styles['stack']}>
            <StatusCard />
            <DownloadCard />
          </div>
        </div>
      )}
    </>
  );
}
