import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inLanes } from './in-lanes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('keeps the order whatever ends first, and never has more under way than there are lanes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 })), fc.integer({ min: 1, max: 5 }), async (turns, lanes) => {
      let underWay = 0;
      let most = 0;
      const results = await inLanes(turns, lanes, async (count) => {
        most = Math.max(most, ++underWay);
        for (let i = 0; i < count; i++) await turn();
        underWay--;
        return count;
      });
      expect(results).toEqual(turns);
      expect(most).toBe(Math.min(lanes, turns.length));
    }),
    { numRuns: 50 },
  );
});

it('begins nothing after a failure, and throws it when all that was begun has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const all = inLanes([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('the first');
    await turn();
    ended.push(item);
  });
  await expect(all).rejects.toThrow('the first');
  expect(begun).toEqual([1, 2]);
  expect(ended).toEqual([2]);
});
