import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignedPages, evaluationPages, randomPages, sampleDigest } from './assignment.ts';

const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const BOB = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
const SEED = `${'00'.repeat(31)}2a`;

// Frozen: a run's peers and auditors must draw the same in every version.
describe('frozen vectors', () => {
  it.each([
    [SEED, ALICE, [5705, 2458, 3205, 2335, 5982, 5200, 3039, 3111]],
    [SEED, BOB, [5944, 1544, 5341, 1558, 72, 69, 5163, 3019]],
    ['ff'.repeat(32), ALICE, [2402, 3759, 4585, 4337, 4956, 1589, 320, 494]],
  ])('assigned pages of seed %s, hotkey %s', (seed, hotkey, pages) => {
    expect(assignedPages(seed, hotkey, 6000, 8)).toEqual(pages);
  });

  it('random pages', () => {
    expect(randomPages(SEED, 6000, 4, new Set())).toEqual([1262, 1923, 5936, 5473]);
    expect(randomPages(SEED, 6, 4, new Set([0, 1, 2]))).toEqual([4, 3, 5]);
  });

  it('evaluation pages', () => {
    expect(evaluationPages(SEED, ALICE, [10, 20, 30, 40, 50], 2)).toEqual([20, 40]);
  });
});

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const counts = fc.integer({ min: 1, max: 500 }).chain((pages) => fc.tuple(fc.constant(pages), fc.nat(pages)));

const distinctBelow = (drawn: number[], pages: number): boolean =>
  new Set(drawn).size === drawn.length && drawn.every((page) => page >= 0 && page < pages);

describe('draws', () => {
  it('assign distinct pages in range', () => {
    fc.assert(
      fc.property(seed, counts, (s, [pages, count]) => {
        const drawn = assignedPages(s, ALICE, pages, count);
        return drawn.length === count && distinctBelow(drawn, pages);
      }),
    );
  });

  it('assign a prefix of what a longer assignment has', () => {
    expect(assignedPages(SEED, ALICE, 6000, 64).slice(0, 8)).toEqual(assignedPages(SEED, ALICE, 6000, 8));
  });

  it('leave excluded pages out of the random ones, and find all that are left', () => {
    fc.assert(
      fc.property(seed, counts, fc.uniqueArray(fc.nat(600)), (s, [pages, count], excluded) => {
        const exclude = new Set(excluded);
        const drawn = randomPages(s, pages, count, exclude);
        const free = pages - excluded.filter((page) => page < pages).length;
        expect(drawn).toHaveLength(Math.min(count, free));
        expect(distinctBelow(drawn, pages)).toBe(true);
        expect(drawn.some((page) => exclude.has(page))).toBe(false);
      }),
    );
  });

  it('evaluate on trained pages only', () => {
    fc.assert(
      fc.property(seed, fc.uniqueArray(fc.nat(6000)), fc.nat(8), (s, trained, count) => {
        const drawn = evaluationPages(s, ALICE, trained, count);
        expect(drawn).toHaveLength(Math.min(count, trained.length));
        expect(new Set(drawn).size).toBe(drawn.length);
        expect(drawn.every((page) => trained.includes(page))).toBe(true);
      }),
    );
  });

  it('refuse to assign more pages than there are', () => {
    expect(() => assignedPages(SEED, ALICE, 3, 4)).toThrow(RangeError);
  });
});

describe('sample digest', () => {
  it('is the SHA-256 of the hashes in order', () => {
    const [a, b] = ['00'.repeat(32), 'ff'.repeat(32)];
    expect(sampleDigest([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(sampleDigest([a, b])).toBe('bba91ca85dc914b2ec3efb9e16e7267bf9193b14350d20fba8a8b406730ae30a');
    expect(sampleDigest([b, a])).not.toBe(sampleDigest([a, b]));
  });
});
