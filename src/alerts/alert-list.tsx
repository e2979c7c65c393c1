/** What happened to the hotkeys that are watched, until it is dismissed. */
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
    <section aria-label="Alerts" aria-live="polite" className={styles['list']}>
      {entries.map(({ id, kind, title, text, atMs }) => (
        <div key={id} data-alert={kind}>
          <Notice
            tone="warn"
            title={title}
            action={
              <Button kind="quiet" onClick={() => alertBook.dismiss(id)} aria-label={`Dismiss: ${title}`}>
                Dismiss
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
        <strong>Alerts</strong> Of a lost rank, missed windows, the risk of being replaced and a delegation that runs
        out: in this page, and as notifications of your browser if you like, while the page is open.
      </p>
      {choice === 'unsupported' && <p className="soft">This browser has no notifications.</p>}
      {choice === 'blocked' && (
        <p className="soft">Notifications are blocked for this site: allow them in the browser’s site settings.</p>
      )}
      {choice === 'off' && <Button onClick={() => void switchNotificationsOn()}>Notify me</Button>}
      {choice === 'on' && <Button onClick={switchNotificationsOff}>Stop notifying me</Button>}
    </div>
  );
}
