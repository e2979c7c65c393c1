/** A browser signal as something to subscribe to: its listener is attached only while somebody listens. */
import { useSyncExternalStore } from 'react';

export interface Signal<T> {
  readonly get: () => T;
  readonly subscribe: (listener: () => void) => () => void;
}

/** @param attach listens to the source and returns how to stop */
export function createSignal<T>(read: () => T, attach: (changed: () => void) => () => void): Signal<T> {
  const listeners = new Set<() => void>();
  let detach: (() => void) | undefined;
  return {
    get: read,
    subscribe(listener) {
      listeners.add(listener);
      detach ??= attach(() => {
        for (const each of listeners) each();
      });
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        detach?.();
        detach = undefined;
      };
    },
  };
}

export function useSignal<T>(signal: Signal<T>): T {
  return useSyncExternalStore(signal.subscribe, signal.get);
}
