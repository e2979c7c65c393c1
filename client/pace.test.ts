import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

const durations = fc.array(fc.double({ min: 0.5, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 50 });

test('an estimate lies among what was timed, and a safe one above it', () => {
  fc.assert(
    fc.property(durations, fc.integer({ min: 1, max: 64 }), (all, pieces) => {
      const pace = createPace();
      for (const ms of all) pace.record(ms);
      const likely = pace.likelyMs(pieces)!;
      const slack = 1 + 1e-9;
      expect(likely).toBeGreaterThanOrEqual((pieces * Math.min(...all)) / slack);
      expect(likely).toBeLessThanOrEqual(pieces * Math.max(...all) * slack);
      expect(pace.safeMs(pieces)!).toBeGreaterThanOrEqual(likely);
    }),
  );
});

test('a hiccup is forgotten within some thirty pieces', () => {
  const pace = createPace();
  for (let i = 0; i < 10; i++) pace.record(100);
  pace.record(2_000);
  expect(pace.likelyMs()!).toBeGreaterThan(300);
  for (let i = 0; i < 32; i++) pace.record(100);
  expect(pace.safeMs()!).toBeLessThan(130);
});

test('nothing is claimed before anything was timed, or after it was forgotten', () => {
  const pace = createPace();
  expect(pace.likelyMs()).toBeUndefined();
  pace.record(5);
  pace.forget();
  expect(pace.safeMs()).toBeUndefined();
  pace.record(40);
  expect(pace.likelyMs(2)).toBe(80);
});
