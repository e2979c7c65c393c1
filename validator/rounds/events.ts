/** News of a run to whoever listens in this process. */
import type { ValidatorEvent } from '../../core/protocol/api.ts';

export type Listener = (event: ValidatorEvent) => void;

export interface EventHub {
  emit(event: ValidatorEvent): void;
  /** @returns stops listening */
  subscribe(listener: Listener): () => void;
}

export function createEventHub(): EventHub {
  const listeners = new Set<Listener>();
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
