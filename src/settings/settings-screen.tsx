/** What a person chose on this device, what lies on it, and what this app is. */
import { Trans, useLingui } from '@lingui/react/macro';
import { NotificationSwitch } from '../alerts/alert-list.tsx';
import { useApp } from '../client/app-context.ts';
import { SnippetCard } from '../embed/snippet-card.tsx';
import { LanguageChoice } from '../i18n/language-choice.tsx';
import { ThemeChoice } from '../platform/theme-choice.tsx';
import { InstallButton } from '../shell/install-button.tsx';
import { Card } from '../ui/card.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';
import { AboutCard } from './about-card.tsx';
import { DataCard } from './data-card.tsx';
import { IdentityCard } from './identity-card.tsx';
import styles from './settings.module.css';
import { StorageCard } from './storage-card.tsx';

export default function SettingsScreen() {
  const { t } = useLingui();
  const { source } = useApp();
  return (
    <>
      <ScreenHead title={t`Settings`} />
      <div className={styles['columns']}>
        <Card title={t`Appearance`}>
          <div className={styles['choices']}>
            <p>
              <Trans>Language:</Trans> <LanguageChoice />
            </p>
            <p>
              <Trans>Theme:</Trans> <ThemeChoice />
            </p>
          </div>
        </Card>
        <Card title={t`Work and rest`}>
          <p className={styles['plain']}>
            <Trans>
              How much of your device is used, when, and how much of its memory is set where the work is: on the{' '}
              <a href="#/">Contribute screen</a>.
            </Trans>
          </p>
          <NotificationSwitch />
          <InstallButton />
        </Card>
      </div>
      <StorageCard />
      <IdentityCard />
      <DataCard />
      {source.kind === 'validator' && <SnippetCard />}
      <AboutCard />
    </>
  );
}
