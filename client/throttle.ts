/**
 * The duty cycle: what share of the time the device works. Kept as a balance of rest owed rather than as a rest after
 * each step, because timers are coarse: a sleep of 3 ms may take 16, or a second in a hidden tab, and what was slept too
 * long is then worked off.
 */
export const THROTTLE_PERCENT = { min: 10, max: 100 } as const;

/** Rests shorter than this are put together: below it a timer's clamp is most of the rest. */
const MIN_REST_MS = 20;
/** A computer that was asleep for an hour does not earn an hour without rest, */
const MAX_CREDIT_MS = 5_000;
/** nor has it worked for an hour: no piece of work is as long as this. */
const MAX_PIECE_MS = 10_000;

export interface Throttle {
  /** Milliseconds that go by for each one of work, rests included. */
  readonly stretch: number;
  /** Rest that is due before more work, 0 when none is. */
  readonly owedMs: number;
  worked(ms: number): void;
  /** A rest that was taken because it was due; one that took longer counts for later. */
  rested(ms: number): void;
  /** The device had nothing to do: that pays off what is due and earns nothing. */
  idled(ms: number): void;
  /** @param percent 10-100 @throws RangeError outside */
  set(percent: number): void;
}

/** @param percent 10-100 @throws RangeError outside */
export function createThrottle(percent: number = THROTTLE_PERCENT.max): Throttle {
  let stretch = 1;
  let balanceMs = 0;
  const throttle: Throttle = {
    get stretch() {
      return stretch;
    },
    get owedMs() {
      return balanceMs < MIN_REST_MS ? 0 : balanceMs;
    },
    worked(ms) {
      balanceMs += Math.min(ms, MAX_PIECE_MS) * (stretch - 1);
    },
    rested(ms) {
      balanceMs = Math.max(-MAX_CREDIT_MS, balanceMs - ms);
    },
    idled(ms) {
      if (balanceMs > 0) balanceMs = Math.max(0, balanceMs - ms);
    },
    set(next) {
      if (!(next >= THROTTLE_PERCENT.min && next <= THROTTLE_PERCENT.max)) {
        throw new RangeError(`a duty cycle of ${next} % is not between 10 and 100`);
      }
      stretch = 100 / next;
      balanceMs = 0;
    },
  };
  throttle.set(percent);
  return throttle;
}
