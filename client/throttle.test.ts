import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import { createThrottle } from './throttle.ts';

interface Device {
  readonly percent: number;
  /** Of a micro-batch. */
  readonly stepMs: number;
  /** Largest deviation from it, as a share. */
  readonly jitter: number;
  /** What sleeps are rounded up to: 4 and 16 are timer clamps, 1,000 is a hidden tab. */
  readonly timerMs: number;
  readonly seed: string;
}

const devices = fc.record<Device>({
  percent: fc.integer({ min: 10, max: 100 }),
  stepMs: fc.oneof(fc.double({ min: 1, max: 50, noNaN: true }), fc.double({ min: 50, max: 5_000, noNaN: true })),
  jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
  timerMs: fc.constantFrom(1, 4, 16, 1_000),
  seed: fc.string({ minLength: 1, maxLength: 8 }),
});

/** Works for a window of 60 s at least, and to the end of the rest that follows; the share of the time at work. */
function dutyOf({ percent, stepMs, jitter, timerMs, seed }: Device): number {
  const random = createRandom(seedFrom(seed));
  const throttle = createThrottle(percent);
  let busy = 0;
  let resting = 0;
  while (busy + resting < 60_000 || throttle.owedMs > 0) {
    const owed = throttle.owedMs;
    if (owed > 0) {
      const slept = Math.ceil(owed / timerMs) * timerMs + random.uniform() * 10;
      resting += slept;
      throttle.rested(slept);
    } else {
      const ms = stepMs * (1 + jitter * (2 * random.uniform() - 1));
      busy += ms;
      throttle.worked(ms);
    }
  }
  return (100 * busy) / (busy + resting);
}

describe('a throttle', () => {
  test('holds the duty cycle within 5 points, whatever the steps and the timers', () => {
    fc.assert(
      fc.property(devices, (device) => {
        expect(Math.abs(dutyOf(device) - device.percent)).toBeLessThan(5);
      }),
      { numRuns: 400 },
    );
  });

  test('of 100 percent never rests', () => {
    const throttle = createThrottle(100);
    throttle.worked(60_000);
    expect(throttle.owedMs).toBe(0);
  });

  test('takes waiting as rest, but does not save it up', () => {
    const throttle = createThrottle(50);
    throttle.worked(1_000);
    throttle.idled(400);
    expect(throttle.owedMs).toBeCloseTo(600);
    throttle.idled(60_000);
    throttle.worked(100);
    expect(throttle.owedMs).toBeCloseTo(100);
  });

  test('does not owe an hour of rest after an hour asleep in the middle of a piece of work', () => {
    const throttle = createThrottle(50);
    throttle.worked(3_600_000);
    expect(throttle.owedMs).toBe(10_000);
  });

  test('forgives what is due when it is set anew, and refuses what is no duty cycle', () => {
    const throttle = createThrottle(10);
    throttle.worked(5_000);
    throttle.set(80);
    expect(throttle.owedMs).toBe(0);
    expect(throttle.stretch).toBeCloseTo(1.25);
    for (const percent of [0, 9, 101, NaN]) expect(() => throttle.set(percent)).toThrow(RangeError);
  });
});
