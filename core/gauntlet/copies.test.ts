import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copies as copiesOf, type Arrival, type Copy } from './copies.ts';

const matrix = (size: number, shares: readonly (readonly [number, number, number])[]): number[][] => {
  const overlaps: number[][] = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) => (i === j ? 1 : 0.02)),
  );
  for (const [i, j, share] of shares) {
    overlaps[i]![j] = share;
    overlaps[j]![i] = share;
  }
  return overlaps;
};

/** By a symmetric matrix of shares. */
function copies(
  arrivals: readonly Arrival[],
  overlaps: readonly (readonly number[])[],
  least: number,
): Map<string, Copy> {
  const pairs = overlaps.flatMap((row, i) => row.slice(0, i).map((share, j) => ({ pair: [i, j] as const, share })));
  return copiesOf(arrivals, pairs, least);
}

describe('copies', () => {
  const arrivals = (...times: number[]): Arrival[] => times.map((arrivedAt, i) => ({ hotkey: `p${i}`, arrivedAt }));

  it('blames the later of two, and at the same time the greater hotkey', () => {
    const overlaps = matrix(3, [[0, 2, 0.9]]);
    expect([...copies(arrivals(1, 2, 3), overlaps, 0.4)]).toEqual([['p2', { share: 0.9, with: 'p0' }]]);
    expect([...copies(arrivals(3, 2, 1), overlaps, 0.4)]).toEqual([['p0', { share: 0.9, with: 'p2' }]]);
    expect([...copies(arrivals(1, 1, 1), overlaps, 0.4)]).toEqual([['p2', { share: 0.9, with: 'p0' }]]);
  });

  it('keeps the worst that is to be said of a peer, and nothing below the least share', () => {
    const overlaps = matrix(4, [
      [0, 1, 0.5],
      [0, 2, 0.6],
      [1, 2, 0.8],
      [0, 3, 0.39],
    ]);
    expect(copies(arrivals(1, 2, 3, 4), overlaps, 0.4)).toEqual(
      new Map([
        ['p1', { share: 0.5, with: 'p0' }],
        ['p2', { share: 0.8, with: 'p1' }],
      ]),
    );
  });

  const peers = fc.integer({ min: 2, max: 8 }).chain((size) =>
    fc.record({
      times: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: size, maxLength: size }),
      shares: fc.array(
        fc
          .tuple(fc.nat(size - 1), fc.nat(size - 1), fc.double({ min: 0, max: 1, noNaN: true }))
          .filter(([i, j]) => i !== j),
      ),
    }),
  );

  it('does not depend on the order in which contributions are listed', () => {
    fc.assert(
      fc.property(peers, ({ times, shares }) => {
        const listed = arrivals(...times);
        const overlaps = matrix(times.length, shares);
        const reversed = copies(
          [...listed].reverse(),
          [...overlaps].reverse().map((row) => [...row].reverse()),
          0.4,
        );
        expect(reversed).toEqual(copies(listed, overlaps, 0.4));
      }),
    );
  });

  it('never gets better for a peer by uploading later, nor worse for one that did not', () => {
    fc.assert(
      fc.property(peers, fc.nat(7), fc.integer({ min: 1, max: 9 }), ({ times, shares }, who, delay) => {
        const i = who % times.length;
        const overlaps = matrix(times.length, shares);
        const before = copies(arrivals(...times), overlaps, 0.4);
        const after = copies(arrivals(...times.map((time, j) => (j === i ? time + delay : time))), overlaps, 0.4);
        const share = (found: typeof before, j: number): number => found.get(`p${j}`)?.share ?? 0;
        times.forEach((_, j) => {
          if (j === i) expect(share(after, j)).toBeGreaterThanOrEqual(share(before, j));
          else expect(share(after, j)).toBeLessThanOrEqual(share(before, j));
        });
      }),
    );
  });
});
