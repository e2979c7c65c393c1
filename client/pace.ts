/**
 * How long a piece of work takes here, learnt from earlier pieces: the smoothed mean and mean deviation that TCP keeps of
 * its round trips (RFC 6298), so that one hiccup neither goes unnoticed nor is remembered for long.
 */
const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const SAFE_DEVIATIONS = 2;

export interface Pace {
  /** @param ms of one piece */
  record(ms: number): void;
  /** Milliseconds that `pieces` take as a rule; undefined until one was timed. */
  likelyMs(pieces?: number): number | undefined;
  /** Milliseconds that `pieces` are hardly ever longer than; undefined until one was timed. */
  safeMs(pieces?: number): number | undefined;
  /** Learns anew: the device may have become another one, as when a tab comes to the front. */
  forget(): void;
}

export function createPace(): Pace {
  let mean: number | undefined;
  let deviation = 0;
  return {
    record(ms) {
      if (mean === undefined) {
        mean = ms;
        deviation = ms / 2;
        return;
      }
      deviation += DEVIATION_GAIN * (Math.abs(ms - mean) - deviation);
      mean += MEAN_GAIN * (ms - mean);
    },
    likelyMs: (pieces = 1) => (mean === undefined ? undefined : pieces * mean),
    safeMs: (pieces = 1) => (mean === undefined ? undefined : pieces * (mean + SAFE_DEVIATIONS * deviation)),
    forget() {
      mean = undefined;
    },
  };
}
