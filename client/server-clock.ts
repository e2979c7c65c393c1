/** The validator's time, as seen from here: this machine's own clock may be wrong by hours and only ticks. */
import type { ClockState } from '../core/protocol/api.ts';
import type { ValidatorApi } from './api.ts';

export interface ServerClock {
  /** Reads the clock and re-estimates the offset. */
  read(signal?: AbortSignal): Promise<ClockState>;
  /** Milliseconds since the epoch, by the server. */
  now(): number;
  /** Milliseconds of server time until an instant, negative when it has passed. */
  msUntil(instant: string): number;
}

export function createServerClock(api: ValidatorApi, now: () => number): ServerClock {
  let offsetMs = 0;
  return {
    async read(signal) {
      const sent = now();
      const clock = await api.clock(signal);
      const received = now();
      offsetMs = Date.parse(clock.serverTime) - (sent + received) / 2;
      return clock;
    },
    now: () => now() + offsetMs,
    msUntil: (instant) => Date.parse(instant) - (now() + offsetMs),
  };
}
