/** A token bucket a caller, in memory: enough for one process, and behind a port for more. */

export interface RateLimit {
  /** Attempts that may come at once. */
  readonly burst: number;
  readonly perMinute: number;
  /** Callers remembered; beyond, the longest unseen is forgotten. */
  readonly maxCallers?: number;
}

const MINUTE_MS = 60_000;

export function createRateLimiter(
  { burst, perMinute, maxCallers = 10_000 }: RateLimit,
  now: () => number,
): { allow(key: string): boolean } {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    allow(key) {
      const at = now();
      const old = buckets.get(key);
      const refilled = old ? old.tokens + (Math.max(0, at - old.at) / MINUTE_MS) * perMinute : burst;
      const tokens = Math.min(burst, refilled);
      const allowed = tokens >= 1;
      // Set anew, so that the map's order is that of the last visit.
      buckets.delete(key);
      buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at });
      if (buckets.size > maxCallers) buckets.delete(buckets.keys().next().value!);
      return allowed;
    },
  };
}
