import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryRates, type Rate } from './rate-limit.ts';

/** A bucket of tokens, as plainly as it can be told. */
function bucketOf({ burst, perMinute }: Rate): (at: number) => boolean {
  let tokens = burst;
  let last = 0;
  return (at) => {
    tokens = Math.min(burst, tokens + ((at - last) * perMinute) / 60_000);
    last = at;
    if (tokens < 1 - 1e-6) return false;
    tokens--;
    return true;
  };
}

describe('rates in memory', () => {
  it('allow what a bucket of tokens does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ burst: fc.integer({ min: 1, max: 20 }), perMinute: fc.integer({ min: 1, max: 600 }) }),
        fc.array(fc.nat(3_000), { maxLength: 60 }),
        async (rate, pauses) => {
          let now = 0;
          const rates = memoryRates(() => now);
          const bucket = bucketOf(rate);
          for (const pause of pauses) {
            now += pause;
            const seen = await rates.look('a', rate);
            const state = await rates.take('a', rate);
            expect(state.allowed).toBe(bucket(now));
            expect(seen.allowed).toBe(state.allowed);
            expect(state.remaining).toBeLessThanOrEqual(rate.burst);
            if (state.allowed) continue;
            // As soon as it says, and not before.
            const after = now + state.retryMs;
            now = after - 0.5;
            expect((await rates.look('a', rate)).allowed).toBe(false);
            now = after + 0.5;
            expect((await rates.look('a', rate)).allowed).toBe(true);
            now = after - state.retryMs;
          }
        },
      ),
    );
  });

  it('remember so many callers, the longest unseen being forgotten', async () => {
    const rate = { burst: 1, perMinute: 1 };
    const rates = memoryRates(() => 0, 3);
    for (const key of ['a', 'b', 'c', 'a', 'd']) await rates.take(key, rate);
    const allowed = async (key: string): Promise<boolean> => (await rates.look(key, rate)).allowed;
    expect([await allowed('a'), await allowed('b'), await allowed('c'), await allowed('d')]).toEqual([false, true, false, false]); // prettier-ignore
  });
});
