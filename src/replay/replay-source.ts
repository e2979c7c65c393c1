/** A recorded run in a worker of this tab: the source that a page shows instead of a validator, and its position. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { portFetch, PortEventSource } from '../../workers/shared/port-fetch.ts';
import type { ReplayCommand, ReplayNews } from '../../workers/replay/replay-api.ts';
import replayWorker from '../../workers/replay/replay-worker.ts?worker&url';
import { startWorker } from '../../workers/start-worker.ts';
import type { PeerLabels, SourceBase } from '../client/source.ts';

/** Windows a second. */
export const SPEEDS = [1, 4, 16] as const;
export type Speed = (typeof SPEEDS)[number];
/** Faster than this a page cannot be read; more windows are passed at a time instead. */
const STEPS_A_SECOND = 4;

export interface ReplayState {
  /** Undefined until the recording is there. */
  readonly recording:
    { readonly first: number; readonly last: number; readonly publishedAt: readonly string[] } | undefined;
  readonly loadedBytes: number;
  /** It is the time after this window was published. */
  readonly window: number;
  /** Counts what the worker has answered: whatever is shown may be of another window. */
  readonly moves: number;
  readonly playing: boolean;
  readonly speed: Speed;
  /** Why there is nothing to show. */
  readonly failure: string | undefined;
}

export interface Replay {
  readonly store: StoreApi<ReplayState>;
  /** A window outside of the recording becomes its nearest. */
  seek(window: number): void;
  setPlaying(playing: boolean): void;
  setSpeed(speed: Speed): void;
}

export interface ReplaySource extends SourceBase {
  readonly kind: 'replay';
  readonly replay: Replay;
}

/** What is needed of a `Worker`. */
export interface ReplayWorker {
  postMessage(command: ReplayCommand, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ReplayNews>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

/** Playback over a worker. @param setTimer as setInterval, and its end */
export function createReplay(
  worker: ReplayWorker,
  labels: StoreApi<PeerLabels>,
  setTimer: (work: () => void, ms: number) => () => void = (work, ms) => {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
): Replay {
  const store = createStore<ReplayState>(() => ({
    recording: undefined,
    loadedBytes: 0,
    window: 0,
    moves: 0,
    playing: false,
    speed: 1,
    failure: undefined,
  }));
  let stopTimer: (() => void) | undefined;

  worker.onerror = ({ message }) => store.setState({ failure: message || 'the replay’s worker could not be loaded' });
  worker.onmessage = ({ data }) => {
    switch (data.type) {
      case 'loading':
        store.setState({ loadedBytes: data.bytes });
        return;
      case 'opened': {
        const { first, last, publishedAt } = data;
        labels.setState(new Map(data.labels), true);
        store.setState({ recording: { first, last, publishedAt }, window: last });
        return;
      }
      case 'at':
        store.setState(({ moves }) => ({ moves: moves + 1 }));
        return;
      case 'failed':
        store.setState({ failure: data.reason, playing: false });
        return;
    }
  };

  function seek(window: number): void {
    const { recording, window: before } = store.getState();
    if (!recording) return;
    const next = Math.min(recording.last, Math.max(recording.first, Math.round(window)));
    if (next === before) return;
    store.setState({ window: next });
    worker.postMessage({ type: 'seek', window: next });
  }

  function setPlaying(playing: boolean): void {
    stopTimer?.();
    stopTimer = undefined;
    const { recording, window, speed } = store.getState();
    store.setState({ playing });
    if (!playing || !recording) return;
    // Played to its end it begins anew.
    if (window === recording.last) seek(recording.first);
    const stepsASecond = Math.min(speed, STEPS_A_SECOND);
    stopTimer = setTimer(() => {
      seek(store.getState().window + speed / stepsASecond);
      if (store.getState().window === recording.last) setPlaying(false);
    }, 1_000 / stepsASecond);
  }

  return {
    store,
    seek,
    setPlaying,
    setSpeed(speed) {
      store.setState({ speed });
      if (store.getState().playing) setPlaying(true);
    },
  };
}

/** Starts the worker. What it is asked before the recording is there is answered once it is. @param url absolute */
export function openReplay(url: string): ReplaySource {
  // Not the page's own: what is remembered by it, such as what to train for, is of real runs.
  const validatorUrl = `https://${crypto.randomUUID()}.replay.invalid/`;
  const worker = startWorker(replayWorker, 'replay');
  const labels = createStore<PeerLabels>(() => new Map());
  const connect = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ type: 'connect', port: port2 } satisfies ReplayCommand, [port2]);
    return port1;
  };
  const replay = createReplay(worker, labels);
  worker.postMessage({ type: 'open', url } satisfies ReplayCommand);
  return {
    kind: 'replay',
    validatorUrl,
    fetch: portFetch(connect()),
    createEventSource: () => new PortEventSource(connect()),
    labels,
    trainerOptions: () => ({}),
    replay,
  };
}
