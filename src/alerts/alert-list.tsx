/** What happened to the hotkeys that are watched, until it is dismissed. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useStore } from 'zustand';
import { useSignal } from '../platform/subscribable.ts';
import { Button } from '../ui/button.tsx';
import { formatTime } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import styles from './alert-list.module.css';
import { alertBook } from './alert-book.ts';
import { notificationChoice, switchNotificationsOff, switchNotificationsOn } from './notifications.ts';

export function AlertList() {
  const entries = useStore(alertBook.store).filter(({ dismissed }) => !dismissed);
  return (
    <section aria-label={t`Alerts`} aria-live="polite" className={styles['list']}>
      {entries.map(({ id, kind, title, text, atMs }) => (
        <div key={id} data-alert={kind}>
          <Notice
            tone="warn"
            title={title}
            action={
              <Button kind="quiet" onClick={() => alertBook.dismiss(id)} aria-label={t`Dismiss: ${title}`}>
                <Trans>Dismiss</Trans>
              </Button>
            }
          >
            {formatTime(atMs)}: {text}
          </Notice>
        </div>
      ))}
    </section>
  );
}

export function NotificationSwitch() {
  const choice = useSignal(notificationChoice);
  return (
    <div className={styles['switch']}>
      <p>
        <Trans>
          <strong>Alerts</strong> Of a lost rank, missed windows, the risk of being replaced and a delegation that runs
          out: in this page, and as notifications of your browser if you like, while the page is open.
        </Trans>
      </p>
      {choice === 'unsupported' && (
        <p className="soft">
          <Trans>This browser has no notifications.</Trans>
        </p>
      )}
      {choice === 'blocked' && (
        <p className="soft">
          <Trans>Notifications are blocked for this site: allow them in the browser’s site settings.</Trans>
        </p>
      )}
      {choice === 'off' && (
        <Button onClick={() => void switchNotificationsOn()}>
          <Trans>Notify me</Trans>
        </Button>
      )}
      {choice === 'on' && (
        <Button onClick={switchNotificationsOff}>
          <Trans>Stop notifying me</Trans>
        </Button>
      )}
    </div>
  );
}
