/**
 * Starts and stops the contributor in its worker, and starts it anew when the worker dies, or at a window's border when
 * it is old: what a runtime leaks over the days is gone with its worker. A stopped controller has no worker at all, so
 * nothing can be left running.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ContributorStatus } from '../../client/events.ts';
import type { StartOptions, TrainerApi, TrainerEvent } from '../../workers/trainer-api.ts';
import { connectWorker, RpcError, type Connection, type WorkerLike } from '../client/rpc.ts';
import { INITIAL_STATE, isActive, reduce, type ContributeAction, type ContributeState } from './state.ts';

export interface ControllerOptions {
  readonly start: StartOptions;
  /** What each start is given anew: a port can be handed over only once. */
  readonly startWith?: () => Partial<StartOptions>;
  readonly spawn: () => WorkerLike;
  /** Windows a worker contributes to before it is replaced. */
  readonly recycleWindows: number;
  readonly now?: () => number;
  readonly setTimer?: (work: () => void, ms: number) => () => void;
}

export interface Controller {
  readonly store: StoreApi<ContributeState>;
  start(): void;
  stop(): Promise<void>;
  /** Who contributes from the next start on. What runs as somebody else is stopped, and started as the new one. */
  setWallet(wallet: StartOptions['wallet']): Promise<void>;
  setPaused(paused: boolean): void;
  /** @param percent duty cycle, 10-100 */
  setThrottle(percent: number): void;
  dismissWarnings(): void;
}

/** Loading the worker includes the engine's code; a micro-batch may keep it busy; stopping saves the optimiser state. */
const DEADLINES_MS = { start: 60_000, setPaused: 30_000, setThrottle: 30_000, stop: 30_000 } as const;
const RESTART_SECONDS = [2, 4, 8, 16];
/** A worker that lived this long has earned all its restarts back. */
const HEALTHY_MS = 120_000;

function browserTimer(work: () => void, ms: number): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

export function createController(options: ControllerOptions): Controller {
  const { spawn, now = () => Date.now(), setTimer = browserTimer } = options;
  const store = createStore<ContributeState>(() => ({
    ...INITIAL_STATE,
    throttlePercent: options.start.throttlePercent ?? INITIAL_STATE.throttlePercent,
  }));
  let wallet = options.start.wallet;
  let connection: Connection<TrainerApi> | undefined;
  let cancelRestart: (() => void) | undefined;
  let restarts = 0;
  let startedAtMs = 0;

  const dispatch = (action: ContributeAction): void => store.setState((state) => reduce(state, action), true);
  const receive = (event: TrainerEvent): void => {
    dispatch({ type: 'event', event, atMs: now() });
    // A contributor that gave up holds nothing worth keeping; its worker may hold a gigabyte.
    if (event.type === 'status' && event.status.kind === 'failed') release();
  };
  const status = (next: ContributorStatus): void =>
    dispatch({ type: 'event', event: { type: 'status', status: next }, atMs: now() });

  function release(): void {
    cancelRestart?.();
    cancelRestart = undefined;
    const current = connection;
    connection = undefined;
    current?.close();
  }

  function onDeath(error: RpcError): void {
    connection = undefined;
    // What dies while stopping has stopped.
    if (store.getState().status.kind === 'stopping') return;
    if (now() - startedAtMs > HEALTHY_MS) restarts = 0;
    const delaySeconds = RESTART_SECONDS[restarts++];
    if (delaySeconds === undefined) {
      status({
        kind: 'failed',
        reason: error.message,
        remedy: 'Close other heavy tabs, reload this page and start again.',
      });
      return;
    }
    status({ kind: 'retrying', reason: error.message, retryInSeconds: delaySeconds });
    cancelRestart = setTimer(launch, delaySeconds * 1_000);
  }

  function launch(): void {
    cancelRestart = undefined;
    startedAtMs = now();
    let current: Connection<TrainerApi>;
    let deliveries = 0;
    let retiring = false;
    const onEvent = (event: TrainerEvent): void => {
      // That the old worker stops is no news: the contribution goes on.
      if (retiring && event.type === 'status') return;
      receive(event);
      if (event.type === 'receipt' && ++deliveries === options.recycleWindows) {
        retiring = true;
        void replace(current);
      }
    };
    try {
      current = connectWorker<TrainerApi, TrainerEvent>(spawn(), { deadlinesMs: DEADLINES_MS, onEvent, onDeath });
    } catch (error) {
      onDeath(new RpcError('died', 'The browser refused to start the training worker.', { cause: error }));
      return;
    }
    connection = current;
    const { throttlePercent, paused } = store.getState();
    current.call('start', { ...options.start, ...options.startWith?.(), throttlePercent, paused, wallet }).then(
      (result) => {
        if (!result.started)
          receive({ type: 'status', status: { kind: 'failed', reason: result.reason, remedy: result.remedy } });
      },
      (error: unknown) => {
        // A death was already handled, and a close was asked for.
        if (connection !== current || (error instanceof RpcError && error.failure !== 'deadline')) return;
        current.close();
        onDeath(
          error instanceof RpcError
            ? error
            : new RpcError('died', 'The training worker failed to start.', { cause: error }),
        );
      },
    );
  }

  /** Has delivered for this window: until the next begins there is time for a fresh worker to get ready. */
  async function replace(old: Connection<TrainerApi>): Promise<void> {
    await old.call('stop').catch(() => undefined);
    // It died meanwhile, or everything was stopped.
    if (connection !== old || store.getState().status.kind === 'stopping') return;
    old.close();
    launch();
  }

  function start(): void {
    if (isActive(store.getState().status)) return;
    release();
    restarts = 0;
    dispatch({ type: 'set-paused', paused: false });
    status({ kind: 'connecting' });
    launch();
  }

  async function stop(): Promise<void> {
    if (!isActive(store.getState().status)) return;
    status({ kind: 'stopping' });
    const current = connection;
    // Whether it stopped by itself or not, the worker ends here.
    await current?.call('stop').catch(() => undefined);
    if (store.getState().status.kind === 'failed') return;
    release();
    status({ kind: 'stopped' });
  }

  return {
    store,
    start,
    stop,
    async setWallet(next) {
      if (next?.run === wallet?.run && next?.hotkey === wallet?.hotkey) return;
      wallet = next;
      if (!isActive(store.getState().status)) return;
      await stop();
      start();
    },
    setPaused(paused) {
      dispatch({ type: 'set-paused', paused });
      // One that cannot be told is being replaced, and the next one starts with it.
      connection?.call('setPaused', paused).catch(() => undefined);
    },
    setThrottle(percent) {
      dispatch({ type: 'set-throttle', percent });
      connection?.call('setThrottle', percent).catch(() => undefined);
    },
    dismissWarnings: () => dispatch({ type: 'dismiss-warnings' }),
  };
}
