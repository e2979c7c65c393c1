/**
 * How often a caller may ask. A bucket of tokens that refills evenly, kept as one number (the generic cell rate
 * algorithm): the time at which it is full again. So a store of many callers is a map of numbers, or a table of two
 * columns, and a caller that is back at rest can be forgotten.
 */

export interface Rate {
  /** Requests that may come at once. */
  readonly burst: number;
  readonly perMinute: number;
}

/** Where a caller stands after a request. Times are milliseconds from now. */
export interface RateState {
  readonly allowed: boolean;
  /** Requests that may come at once now. */
  readonly remaining: number;
  /** Until `burst` may come at once again. */
  readonly resetMs: number;
  /** Until a request is allowed; 0 after one that was. */
  readonly retryMs: number;
}

export interface RateStore {
  /** Spends one request of a key, unless there is none left. */
  take(key: string, rate: Rate): Promise<RateState>;
  /** Whether `take` would allow one, and nothing is spent. */
  look(key: string, rate: Rate): Promise<RateState>;
}

const MINUTE_MS = 60_000;
/** Callers remembered; beyond, the longest unseen is forgotten, which gives it its burst again. */
const MAX_CALLERS = 10_000;

/** Milliseconds that one request costs. */
export const costMs = ({ perMinute }: Rate): number => MINUTE_MS / perMinute;

/** @param backlogMs until the bucket is full, before a request */
export function mayTake(backlogMs: number, rate: Rate): boolean {
  // Rounding must not cost the last of a burst.
  return backlogMs + costMs(rate) <= rate.burst * costMs(rate) + 1e-6;
}

/** @param backlogMs until the bucket is full, after the request if it was allowed */
export function rateState(allowed: boolean, backlogMs: number, rate: Rate): RateState {
  const cost = costMs(rate);
  return {
    allowed,
    remaining: Math.max(0, Math.floor(rate.burst - backlogMs / cost + 1e-6)),
    resetMs: backlogMs,
    retryMs: allowed ? 0 : Math.max(1, backlogMs + cost - rate.burst * cost),
  };
}

/** In memory: enough for one process. @param now milliseconds */
export function memoryRates(now: () => number, maxCallers = MAX_CALLERS): RateStore {
  const fullAt = new Map<string, number>();
  const backlogOf = (key: string): number => Math.max(0, (fullAt.get(key) ?? 0) - now());
  return {
    take(key, rate) {
      const before = backlogOf(key);
      const allowed = mayTake(before, rate);
      const backlog = allowed ? before + costMs(rate) : before;
      // Set anew, so that the map's order is that of the last visit.
      fullAt.delete(key);
      fullAt.set(key, now() + backlog);
      if (fullAt.size > maxCallers) fullAt.delete(fullAt.keys().next().value!);
      return Promise.resolve(rateState(allowed, backlog, rate));
    },
    look(key, rate) {
      const backlog = backlogOf(key);
      return Promise.resolve(rateState(mayTake(backlog, rate), backlog, rate));
    },
  };
}
