/**
 * Where the page's data come from. Every screen works on whichever source there is, through the same requests and
 * events, and none of them can reach a source that the address bar did not ask for.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { StartOptions } from '../../workers/trainer-api.ts';
import type { DemoSource } from '../demo/demo-source.ts';
import type { ReplaySource } from '../replay/replay-source.ts';
import type { EventSourceLike } from './event-stream.ts';

/** What is known of a peer beyond what the validator says of it. */
export interface PeerLabel {
  /** "honest-1" */
  readonly name: string;
  /** "honest", or the name of its attack. */
  readonly kind: string;
}

/** By hotkey. Empty where peers are strangers. */
export type PeerLabels = ReadonlyMap<string, PeerLabel>;

export interface SourceBase {
  /** Against which the API's paths are resolved. Nothing listens there unless the kind is `validator`. */
  readonly validatorUrl: string;
  readonly fetch: typeof fetch;
  readonly createEventSource: (url: string) => EventSourceLike;
  readonly labels: StoreApi<PeerLabels>;
  /** What the trainer is told with each start, so that it works on the same source. */
  readonly trainerOptions: () => Pick<StartOptions, 'validatorPort' | 'databaseName'>;
}

/** A validator over HTTP. */
export interface ValidatorSource extends SourceBase {
  readonly kind: 'validator';
}

export type Source = ValidatorSource | DemoSource | ReplaySource;

/** What the address bar asks for. */
export type SourceRequest =
  | { readonly kind: 'validator'; readonly validatorUrl: string }
  | { readonly kind: 'demo' }
  /** @param url of the recording, absolute */
  | { readonly kind: 'replay'; readonly url: string };

/** Opens what was asked for; all but a validator's is loaded when it is. */
export async function openSource(request: SourceRequest): Promise<Source> {
  switch (request.kind) {
    case 'validator':
      return {
        kind: 'validator',
        validatorUrl: request.validatorUrl,
        fetch: (input, init) => fetch(input, init),
        createEventSource: (url) => new EventSource(url),
        labels: createStore<PeerLabels>(() => new Map()),
        trainerOptions: () => ({}),
      };
    case 'demo':
      return (await import('../demo/demo-source.ts')).openDemo();
    case 'replay':
      return (await import('../replay/replay-source.ts')).openReplay(request.url);
  }
}
