/** The deadlines of one window: fixed in a run of its own, forecasts that every block tells anew in a run on a chain. */
import type { ClockState } from '../core/protocol/api.ts';
import type { SpeakingContext } from './joining.ts';

export interface Deadlines {
  /** As last read in the window. */
  latest(): ClockState;
  /** What `latest` says is not relied on for longer. */
  readonly holdMs: number;
  /** Reads them now. @returns false when the window is over @throws as `ServerClock.read` does */
  refresh(): Promise<boolean>;
  stop(): void;
}

/** @param holdMs `Infinity` where deadlines are fixed: then nothing is asked */
export function followDeadlines(
  { ports, clock, signal }: Pick<SpeakingContext, 'ports' | 'clock' | 'signal'>,
  opened: ClockState,
  holdMs: number,
): Deadlines {
  const stopped = new AbortController();
  const over = AbortSignal.any([signal, stopped.signal]);
  let latest = opened;

  async function read(until: AbortSignal): Promise<boolean> {
    const now = await clock.read(until);
    if (now.window !== opened.window) return false;
    latest = now;
    return true;
  }

  async function follow(): Promise<void> {
    for (let same = true; same && !over.aborted;) {
      try {
        await ports.sleep(holdMs, over);
        same = await read(over);
      } catch {
        // Out of reach, which the delivery will notice if it lasts; what was read before is still the best that is known.
      }
    }
  }
  if (holdMs < Infinity) void follow();

  return {
    latest: () => latest,
    holdMs,
    refresh: () => read(signal),
    stop() {
      stopped.abort();
    },
  };
}
