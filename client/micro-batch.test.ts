import fc from 'fast-check';
import { expect, test } from 'vitest';
import { microBatchSequences } from './micro-batch.ts';

test('a micro-batch is the largest divisor of the page that fits', () => {
  const pages = fc.integer({ min: 1, max: 512 });
  fc.assert(
    fc.property(pages, fc.integer({ min: 1, max: 600 }), (page, atMost) => {
      const sequences = microBatchSequences(page, atMost);
      expect(page % sequences).toBe(0);
      expect(sequences).toBeLessThanOrEqual(atMost);
      for (let larger = sequences + 1; larger <= Math.min(page, atMost); larger++) {
        expect(page % larger).not.toBe(0);
      }
    }),
  );
});

test('it is half a page where nothing else is said, if that divides it', () => {
  expect([1, 2, 4, 5, 8, 9].map((page) => microBatchSequences(page))).toEqual([1, 1, 2, 1, 4, 3]);
});
