import { expect, test } from 'vitest';
import { deliveryReserveMs, timeLeft, UPLOAD_MARGIN_MS } from './deadline.ts';

test('what was never timed is kept a quarter of the put phase for', () => {
  expect(deliveryReserveMs(undefined, undefined, 4_000)).toBe(2_000 + UPLOAD_MARGIN_MS);
  expect(deliveryReserveMs(100, 300, 4_000)).toBe(400 + UPLOAD_MARGIN_MS);
});

test('one upload that took longer than a window does not end training for good', () => {
  const reserve = deliveryReserveMs(50, 60_000, 4_000);
  expect(timeLeft(8_000, 12_000, reserve).plannedMs).toBeGreaterThan(7_000);
});
