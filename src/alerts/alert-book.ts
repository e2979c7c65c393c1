/** This page's alerts. */
import { createAlertBook } from './book.ts';
import { notify } from './notifications.ts';

function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const alertBook = createAlertBook({ storage: storage(), tell: notify, now: Date.now });
