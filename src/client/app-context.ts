/** What every screen may use: the validator's API, its news, the contributor and what the address bar asked for. */
import { createContext, use } from 'react';
import { useStore } from 'zustand';
import type { ValidatorApi } from '../../client/api.ts';
import type { Controller } from '../contribute/controller.ts';
import type { ContributeState } from '../contribute/state.ts';
import { nowMs } from '../platform/signals.ts';
import { useSignal } from '../platform/subscribable.ts';
import type { Live, LiveState } from './live.ts';
import type { PageParameters } from './parameters.ts';
import type { PeerLabels, Source } from './source.ts';

export interface AppServices {
  readonly source: Source;
  readonly api: ValidatorApi;
  readonly live: Live;
  readonly controller: Controller;
  readonly parameters: PageParameters;
}

export const AppContext = createContext<AppServices | undefined>(undefined);

export function useApp(): AppServices {
  const services = use(AppContext);
  if (!services) throw new Error('rendered outside AppContext');
  return services;
}

export function useContribute<T>(select: (state: ContributeState) => T): T {
  return useStore(useApp().controller.store, select);
}

export function useLive<T>(select: (state: LiveState) => T): T {
  return useStore(useApp().live.store, select);
}

/** The validator's time, in quarter seconds. */
export function useServerNowMs(): number {
  const offsetMs = useLive((state) => state.offsetMs);
  return useSignal(nowMs) + offsetMs;
}

/** Names and kinds of simulated peers, by hotkey; a stranger has none. */
export function usePeerLabels(): PeerLabels {
  return useStore(useApp().source.labels);
}
