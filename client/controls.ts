/** What a person may change while a contributor runs. */
import type { ContributorPorts } from './ports.ts';
import { createThrottle, type Throttle } from './throttle.ts';

export interface Controls {
  readonly paused: boolean;
  /** Whether this window is the last. */
  readonly finishing: boolean;
  readonly throttle: Throttle;
  setPaused(paused: boolean): void;
  setFinishing(finishing: boolean): void;
  /** @param percent 10-100 @throws RangeError outside */
  setThrottle(percent: number): void;
  /**
   * Sleeps until the time is over or something was changed here.
   *
   * @returns milliseconds slept
   * @throws the signal's reason when it is aborted
   */
  nap(ms: number): Promise<number>;
}

export function createControls(
  { now, sleep }: Pick<ContributorPorts, 'now' | 'sleep'>,
  signal: AbortSignal,
  initial: { readonly paused: boolean; readonly finishing: boolean; readonly throttlePercent: number },
): Controls {
  const throttle = createThrottle(initial.throttlePercent);
  let { paused, finishing } = initial;
  let wake = new AbortController();

  function changed(): void {
    const sleeping = wake;
    wake = new AbortController();
    sleeping.abort();
  }
  signal.addEventListener('abort', changed, { once: true });

  return {
    get paused() {
      return paused;
    },
    get finishing() {
      return finishing;
    },
    throttle,
    setPaused(next) {
      paused = next;
      changed();
    },
    setFinishing(next) {
      finishing = next;
      changed();
    },
    setThrottle(percent) {
      throttle.set(percent);
      changed();
    },
    async nap(ms) {
      signal.throwIfAborted();
      const current = wake.signal;
      const started = now();
      await sleep(ms, current).catch((error: unknown) => {
        if (!current.aborted) throw error;
      });
      signal.throwIfAborted();
      return now() - started;
    },
  };
}
