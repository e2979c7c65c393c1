/**
 * The contributor: joins a run and, window after window, catches up, trains its assigned pages, uploads and waits for
 * the outer step. The same code runs in a tab's worker and in a simulated peer; what differs is in the ports.
 *
 * Here is what it does when something fails; `session.ts` joins, `window-loop.ts` is the work.
 */
import { createValidatorApi } from './api.ts';
import type { Behaviour } from './behaviour.ts';
import type { ContributorContext } from './context.ts';
import { createControls } from './controls.ts';
import type { ContributorEvent, ContributorStatus } from './events.ts';
import { failureOf } from './failure.ts';
import { joinWhenSigned } from './joining.ts';
import type { ContributorPorts } from './ports.ts';
import { createServerClock } from './server-clock.ts';
import { openSession, type Session } from './session.ts';
import { THROTTLE_PERCENT } from './throttle.ts';
import { followWindows } from './window-loop.ts';

const FIRST_RETRY_SECONDS = 1;
const LAST_RETRY_SECONDS = 30;
/** Engines in a row that failed before they had delivered anything, after which another one will not do better. */
const MAX_ENGINE_FAILURES = 5;

export interface ContributorOptions {
  readonly validatorUrl: string;
  readonly ports: ContributorPorts;
  readonly onEvent: (event: ContributorEvent) => void;
  /** Duty cycle in percent, 10-100: the share of the time in which the device works. */
  readonly throttlePercent?: number;
  /** Whether it begins paused. */
  readonly paused?: boolean;
  /** Whether the first window that it takes part in is the last. */
  readonly finishing?: boolean;
  /** Most pages to train a window, however many are assigned. */
  readonly maxPages?: number;
  readonly behaviour?: Behaviour;
}

export interface Contributor {
  /** Contributes until stopped or until something happens that only a person can mend; never rejects. */
  run(): Promise<void>;
  /** Ends at the next micro-batch; `run` then resolves, with the optimiser state saved. */
  stop(): void;
  /**
   * Trains no further after the present micro-batch. The run is still followed, and pages that were finished are still
   * delivered.
   */
  pause(): void;
  /** Goes on, in the same window if there is time left. */
  resume(): void;
  /** Whether to stop once the present window is delivered, or the next one where this one is too far gone. */
  setFinishing(finishing: boolean): void;
  /** @param percent duty cycle, 10-100 @throws RangeError outside */
  setThrottle(percent: number): void;
}

export function createContributor(options: ContributorOptions): Contributor {
  const { ports, onEvent, behaviour = {} } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const controls = createControls(ports, signal, {
    paused: options.paused ?? false,
    finishing: options.finishing ?? false,
    throttlePercent: options.throttlePercent ?? THROTTLE_PERCENT.max,
  });
  const status = (next: ContributorStatus): void => {
    onEvent({ type: 'status', status: next });
  };
  const api = createValidatorApi({ baseUrl: options.validatorUrl, fetch: ports.fetch });
  const clock = createServerClock(api, ports.now);
  const context: ContributorContext = { ports, api, clock, controls, signal, emit: onEvent, status };
  let session: Session | undefined;
  let compiled = false;
  let unsigned = false;
  let finished = false;
  let retrySeconds = FIRST_RETRY_SECONDS;
  let engineFailures = 0;

  async function contribute(): Promise<void> {
    if (!session) {
      session = await openSession(context, behaviour.replaceTrainer);
      compiled = false;
    }
    if (unsigned) await joinWhenSigned(context, session.run);
    unsigned = false;
    if (!compiled) await session.compile();
    compiled = true;
    return followWindows(context, session, {
      maxPages: options.maxPages,
      behaviour,
      onCaughtUp: () => (retrySeconds = FIRST_RETRY_SECONDS),
      onDelivered: () => (engineFailures = 0),
    });
  }

  async function closeSession(): Promise<void> {
    const old = session;
    session = undefined;
    await old?.close();
  }

  async function runUntilFailure(): Promise<void> {
    for (;;) {
      try {
        await contribute();
        finished = true;
        return;
      } catch (error) {
        if (signal.aborted) return;
        const failure = failureOf(error);
        switch (failure.kind) {
          case 'fatal':
            if (behaviour.persists) break;
            status({ kind: 'failed', reason: failure.reason, remedy: failure.remedy, code: failure.code });
            return;
          case 'engine':
            if (++engineFailures >= MAX_ENGINE_FAILURES) {
              const remedy = 'Reload the page, or choose another device with ?backend=wasm in the address.';
              status({ kind: 'failed', reason: failure.reason, remedy, code: 'EngineError' });
              return;
            }
            onEvent({ type: 'warning', message: `${failure.reason} The engine is rebuilt.` });
            compiled = false;
            break;
          case 'unsigned':
            // The engine and its optimiser state stay as they are.
            unsigned = true;
            continue;
          case 'rejoin':
            await closeSession();
            unsigned = false;
            break;
          case 'early':
          case 'window-lost':
            onEvent({ type: 'warning', message: failure.reason });
            break;
          case 'retry':
            break;
        }
        status({ kind: 'retrying', reason: failure.reason, retryInSeconds: retrySeconds });
        // Stopped while it waits: the next attempt's first request says so.
        await ports.sleep(retrySeconds * 1_000, signal).catch(() => undefined);
        if (failure.kind !== 'window-lost') retrySeconds = Math.min(LAST_RETRY_SECONDS, retrySeconds * 2);
      }
    }
  }

  return {
    async run() {
      try {
        await runUntilFailure();
      } finally {
        await closeSession();
        if (signal.aborted || finished) status({ kind: 'stopped' });
      }
    },
    stop() {
      status({ kind: 'stopping' });
      abort.abort(new DOMException('stopped', 'AbortError'));
    },
    pause: () => controls.setPaused(true),
    resume: () => controls.setPaused(false),
    setFinishing: (finishing) => controls.setFinishing(finishing),
    setThrottle: (percent) => controls.setThrottle(percent),
  };
}
