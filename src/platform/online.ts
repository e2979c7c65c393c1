/** Whether the browser believes that there is a network. A validator on this machine is there without one. */
import { createSignal } from './subscribable.ts';

export const online = createSignal(
  () => navigator.onLine,
  (changed) => {
    window.addEventListener('online', changed);
    window.addEventListener('offline', changed);
    return () => {
      window.removeEventListener('online', changed);
      window.removeEventListener('offline', changed);
    };
  },
);
