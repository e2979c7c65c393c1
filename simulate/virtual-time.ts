/**
 * Time that passes only while everybody sleeps: a discrete-event clock for whole runs in one process. Participants
 * take turns, the earliest first, so a run is as fast as its arithmetic and the same from one time to the next.
 */

interface Sleeper {
  readonly at: number;
  /** Ties are broken by who fell asleep first. */
  readonly order: number;
  readonly wake: () => void;
}

export interface Participant {
  readonly now: () => number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Takes no further part: time no longer waits for it. */
  readonly leave: () => void;
}

export interface VirtualTime {
  readonly now: () => number;
  /** A new participant, awake. */
  readonly join: () => Participant;
}

/** @param start milliseconds since the epoch */
export function createVirtualTime(start: number): VirtualTime {
  let now = start;
  let awake = 0;
  let order = 0;
  let sleepers: Sleeper[] = [];

  function passTurn(): void {
    awake--;
    if (awake > 0 || sleepers.length === 0) return;
    const next = sleepers.reduce((a, b) => (b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a));
    now = Math.max(now, next.at);
    next.wake();
  }

  return {
    now: () => now,
    join() {
      awake++;
      let left = false;
      return {
        now: () => now,
        sleep(ms, signal) {
          return new Promise((resolve, reject) => {
            if (signal?.aborted) {
              reject(signal.reason as Error);
              return;
            }
            const settle = (finish: () => void): void => {
              sleepers = sleepers.filter((other) => other !== sleeper);
              signal?.removeEventListener('abort', onAbort);
              awake++;
              finish();
            };
            const onAbort = (): void => settle(() => reject(signal?.reason as Error));
            const sleeper: Sleeper = { at: now + Math.max(0, ms), order: order++, wake: () => settle(resolve) };
            signal?.addEventListener('abort', onAbort);
            sleepers.push(sleeper);
            passTurn();
          });
        },
        leave() {
          if (left) return;
          left = true;
          passTurn();
        },
      };
    },
  };
}
