/** Alerts as notifications of the browser: only where a person asked for them, by the click that asks for permission. */
import { createSignal } from '../platform/subscribable.ts';
import type { Alert } from './alerts.ts';

export type NotificationChoice = 'unsupported' | 'blocked' | 'off' | 'on';

const STORAGE_KEY = 'gauntlet.notifications';
const CHANGED = 'gauntlet-notifications';

function wanted(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'on';
  } catch {
    return false;
  }
}

function remember(choice: 'on' | 'off'): void {
  try {
    localStorage.setItem(STORAGE_KEY, choice);
  } catch {
    // Not remembered, then.
  }
  window.dispatchEvent(new Event(CHANGED));
}

export const notificationChoice = createSignal<NotificationChoice>(
  () => {
    if (!('Notification' in window)) return 'unsupported';
    if (Notification.permission === 'denied') return 'blocked';
    return wanted() && Notification.permission === 'granted' ? 'on' : 'off';
  },
  (changed) => {
    window.addEventListener(CHANGED, changed);
    return () => window.removeEventListener(CHANGED, changed);
  },
);

/** Asks the browser's permission: to be called on a click. */
export async function switchNotificationsOn(): Promise<void> {
  const permission = await Notification.requestPermission();
  remember(permission === 'granted' ? 'on' : 'off');
}

export function switchNotificationsOff(): void {
  remember('off');
}

export function notify({ id, title, text }: Alert): void {
  if (notificationChoice.get() !== 'on') return;
  try {
    // The tag makes several tabs' notifications of one event one.
    new Notification(title, { body: text, tag: id });
  } catch {
    // Some phones' browsers allow them to service workers only; the list in the app remains.
  }
}
