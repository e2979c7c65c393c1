/** The browser signals that the app listens to. */
import { createSignal } from './subscribable.ts';

function listen(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}

/** Hidden tabs are slowed down by browsers. */
export const tabHidden = createSignal(
  () => document.visibilityState === 'hidden',
  (changed) => listen(document, 'visibilitychange', changed),
);

/** This machine's time in quarter seconds: enough for a countdown, and stable between ticks. */
const TICK_MS = 250;
export const nowMs = createSignal(
  () => Math.floor(Date.now() / TICK_MS) * TICK_MS,
  (changed) => {
    const timer = setInterval(changed, TICK_MS);
    return () => clearInterval(timer);
  },
);
