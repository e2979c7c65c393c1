/** What the page may tell the replay's worker, and what the worker tells it. Types only. */

export interface PeerLabel {
  readonly name: string;
  readonly kind: string;
}

export type ReplayCommand =
  /** The first. @param url of the recording, absolute */
  | { readonly type: 'open'; readonly url: string }
  /** A port for requests or news, as `portFetch` and `PortEventSource` speak over it. */
  | { readonly type: 'connect'; readonly port: MessagePort }
  /** Makes it the time after a window was published. */
  | { readonly type: 'seek'; readonly window: number };

export type ReplayNews =
  | { readonly type: 'loading'; readonly bytes: number }
  | {
      readonly type: 'opened';
      readonly first: number;
      readonly last: number;
      /** When each window was published, ISO 8601, oldest first. */
      readonly publishedAt: readonly string[];
      readonly labels: readonly (readonly [hotkey: string, label: PeerLabel])[];
    }
  /** It is the time after this window. */
  | { readonly type: 'at'; readonly window: number }
  | { readonly type: 'failed'; readonly reason: string };
