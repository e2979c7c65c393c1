/** Keeps the screen on: a laptop that goes to sleep trains nothing. */
import { useEffect } from 'react';
import { tabHidden } from './signals.ts';
import { useSignal } from './subscribable.ts';

/** The browser takes the lock back whenever the tab is hidden, so it is asked for again when the tab is seen. */
export function useKeepAwake(wanted: boolean): void {
  const hidden = useSignal(tabHidden);
  useEffect(() => {
    if (!wanted || hidden || !('wakeLock' in navigator)) return undefined;
    const lock = navigator.wakeLock.request('screen').catch(() => undefined);
    return () => void lock.then((held) => held?.release());
  }, [wanted, hidden]);
}
