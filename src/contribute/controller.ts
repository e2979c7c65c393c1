/**
 * Starts and stops the contributor in its worker, and starts it anew when the worker dies, or at a window's border when
 * it is old: what a runtime leaks over the days is gone with its worker. A stopped controller has no worker at all, so
 * nothing can be left running.
 */
import { t } from '@lingui/core/macro';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ContributorStatus } from '../../client/events.ts';
import type { StartOptions, TrainerApi, TrainerEvent } from '../../workers/trainer-api.ts';
import { connectWorker, RpcError, type Connection, type WorkerLike } from '../client/rpc.ts';
import type { Hold } from './hold.ts';
import { INITIAL_STATE, isActive, reduce, type ContributeAction, type ContributeState } from './state.ts';

export interface ControllerOptions {
  readonly start: StartOptions;
  /** What each start is given anew: a port can be handed over only once. */
  readonly startWith?: () => Partial<StartOptions>;
  readonly spawn: () => WorkerLike;
  /** Windows a worker contributes to before it is replaced. */
  readonly recycleWindows: number;
  readonly now?: () => number;
  /** Whether nobody sees the page now: browsers slow it down then. */
  readonly isHidden?: () => boolean;
  readonly setTimer?: (work: () => void, ms: number) => () => void;
}

export interface Controller {
  readonly store: StoreApi<ContributeState>;
  /** @param finishing whether the first window that it takes part in is the last */
  start(finishing?: boolean): void;
  stop(): Promise<void>;
  /** Who contributes from the next start on. What runs as somebody else is stopped, and started as the new one. */
  setWallet(wallet: StartOptions['wallet']): Promise<void>;
  setPaused(paused: boolean): void;
  /** A rule holds the device still, or no longer does. A person's own pause is apart from it. */
  setHold(hold: Hold | undefined): void;
  /** Stops by itself once the present window is delivered. */
  setFinishing(finishing: boolean): void;
  /** Of the GPU, in MiB; from the next start on. */
  setMemoryLimit(mib: number | undefined): void;
  /** Starts as soon as the tab that trains has let go. */
  takeOver(): void;
  /** @param percent duty cycle, 10-100 */
  setThrottle(percent: number): void;
  dismissWarnings(): void;
}

/** Loading the worker includes the engine's code; a micro-batch may keep it busy; stopping saves the optimiser state. */
const DEADLINES_MS = {
  start: 60_000,
  setPaused: 30_000,
  setFinishing: 30_000,
  setThrottle: 30_000,
  stop: 30_000,
} as const;
/** The tab that trains may be in the middle of saving a large optimiser state. */
const TAKE_OVER_PATIENCE_MS = 40_000;
const RESTART_SECONDS = [2, 4, 8, 16];
/** A worker that lived this long has earned all its restarts back. */
const HEALTHY_MS = 120_000;

function browserTimer(work: () => void, ms: number): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

export function createController(options: ControllerOptions): Controller {
  const { spawn, now = () => Date.now(), isHidden = () => false, setTimer = browserTimer } = options;
  const store = createStore<ContributeState>(() => ({
    ...INITIAL_STATE,
    throttlePercent: options.start.throttlePercent ?? INITIAL_STATE.throttlePercent,
  }));
  let { wallet, memoryMib } = options.start;
  let patienceMs: number | undefined;
  let connection: Connection<TrainerApi> | undefined;
  let cancelRestart: (() => void) | undefined;
  let restarts = 0;
  let startedAtMs = 0;

  const dispatch = (action: ContributeAction): void => store.setState((state) => reduce(state, action), true);
  const receive = (event: TrainerEvent): void => {
    const stopping = store.getState().status.kind === 'stopping';
    dispatch({ type: 'event', event, atMs: now(), hidden: isHidden() });
    if (event.type !== 'status') return;
    // A contributor that gave up, or has finished, holds nothing worth keeping; its worker may hold a gigabyte.
    if (event.status.kind === 'failed' || (event.status.kind === 'stopped' && !stopping)) release();
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
        remedy: t`Close other heavy tabs, reload this page and start again.`,
      });
      return;
    }
    status({ kind: 'retrying', reason: error.message, retryInSeconds: delaySeconds });
    cancelRestart = setTimer(launch, delaySeconds * 1_000);
  }

  const isPaused = (): boolean => {
    const { paused, hold } = store.getState();
    return paused || hold !== undefined;
  };

  function startOptions(): StartOptions {
    const { throttlePercent, finishing } = store.getState();
    return {
      ...options.start,
      ...options.startWith?.(),
      throttlePercent,
      finishing,
      paused: isPaused(),
      wallet,
      ...(memoryMib === undefined ? {} : { memoryMib }),
      ...(patienceMs === undefined ? {} : { patienceMs }),
    };
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
      onDeath(new RpcError('died', t`The browser refused to start the training worker.`, { cause: error }));
      return;
    }
    connection = current;
    current.call('start', startOptions()).then(
      (result) => {
        if (!result.started)
          receive({
            type: 'status',
            status: { kind: 'failed', reason: result.reason, remedy: result.remedy, code: result.code },
          });
      },
      (error: unknown) => {
        // A death was already handled, and a close was asked for.
        if (connection !== current || (error instanceof RpcError && error.failure !== 'deadline')) return;
        current.close();
        onDeath(
          error instanceof RpcError
            ? error
            : new RpcError('died', t`The training worker failed to start.`, { cause: error }),
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

  function start(finishing = false): void {
    if (isActive(store.getState().status)) return;
    release();
    restarts = 0;
    dispatch({ type: 'set-paused', paused: false });
    dispatch({ type: 'set-finishing', finishing });
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
      connection?.call('setPaused', isPaused()).catch(() => undefined);
    },
    setHold(hold) {
      if (JSON.stringify(hold) === JSON.stringify(store.getState().hold)) return;
      dispatch({ type: 'set-hold', hold });
      connection?.call('setPaused', isPaused()).catch(() => undefined);
    },
    setFinishing(finishing) {
      dispatch({ type: 'set-finishing', finishing });
      connection?.call('setFinishing', finishing).catch(() => undefined);
    },
    setMemoryLimit: (mib) => {
      memoryMib = mib;
    },
    takeOver() {
      patienceMs = TAKE_OVER_PATIENCE_MS;
      start();
      patienceMs = undefined;
    },
    setThrottle(percent) {
      dispatch({ type: 'set-throttle', percent });
      connection?.call('setThrottle', percent).catch(() => undefined);
    },
    dismissWarnings: () => dispatch({ type: 'dismiss-warnings' }),
  };
}
