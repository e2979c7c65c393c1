import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESETS, REFERENCE_GAUNTLET } from '../model/presets.ts';
import { parameterLayout } from '../model/layout.ts';
import { gateAfter, peerScore } from './peer-score.ts';
import { REFERENCE_TEMPLAR } from './profiles/templar.ts';
import { nextProofOfComputation } from './proof-of-computation.ts';
import { freshFigures, scoreWindow } from './scoring.ts';
import { MAX_SYNC_POSITIONS, syncDistance, syncPositions, syncScore } from './sync.ts';
import { scoredPeer } from './testing/scored-peer.ts';
import { incentiveWeights, tieredWeights } from './weights.ts';

const params = REFERENCE_GAUNTLET;
const score = fc.double({ min: -200, max: 200, noNaN: true });

describe('nextProofOfComputation', () => {
  const after = (windows: number, assigned: number, random: number): number => {
    let poc = 0;
    for (let i = 0; i < windows; i++) poc = nextProofOfComputation(poc, { assigned, random }, params);
    return poc;
  };

  it('rises as the reference does for a peer that always wins', () => {
    const expected: [number, number][] = [
      [1, 0.05],
      [5, 0.226],
      [10, 0.401],
      [20, 0.642],
      [45, 0.901],
    ];
    for (const [windows, poc] of expected) expect(after(windows, 2, 1)).toBeCloseTo(poc, 3);
  });

  it('counts a tie as a loss', () => {
    expect(after(1, 0, 0)).toBeCloseTo(-0.05, 12);
    expect(after(1, -2, -1)).toBeCloseTo(-0.05, 12);
    expect(after(1, -1, -2)).toBeCloseTo(0.05, 12);
  });

  it('stays within -1 and 1', () => {
    expect(after(10_000, 1, 0)).toBeLessThanOrEqual(1);
    expect(after(10_000, 0, 1)).toBeGreaterThanOrEqual(-1);
  });
});

describe('peerScore', () => {
  it('is the product of ordinal, clamped proof of computation, sync and gate', () => {
    expect(peerScore({ ordinal: 4, poc: 0.5, sync: 0.5, gate: 0.75 })).toBe(0.75);
  });

  it('never makes a positive score of two negative factors', () => {
    expect(peerScore({ ordinal: -10, poc: -0.9, sync: 1, gate: 1 })).toBe(0);
  });

  it('does not raise a negative score by its gate, and has no negative zero', () => {
    expect(peerScore({ ordinal: -4, poc: 0.5, sync: 1, gate: 0.1 })).toBe(-2);
    expect(Object.is(peerScore({ ordinal: -4, poc: -1, sync: 1, gate: 1 }), 0)).toBe(true);
  });

  it('grows with no factor falling', () => {
    const factor = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(score, factor, factor, factor, (ordinal, poc, sync, gate) => {
        const full = peerScore({ ordinal, poc, sync, gate: 1 });
        expect(peerScore({ ordinal, poc, sync, gate })).toBeLessThanOrEqual(full + 1e-12);
        expect(peerScore({ ordinal: ordinal + 1, poc, sync, gate: 1 })).toBeGreaterThanOrEqual(full);
      }),
    );
  });
});

describe('gateAfter', () => {
  const clean = (gate: number, windows: number, memory?: number): number => {
    for (let i = 0; i < windows; i++) gate = gateAfter(gate, [], params, memory);
    return gate;
  };

  it('cuts by the factor and takes one cut back for each clean window', () => {
    let gate = 1;
    for (let i = 0; i < 3; i++) gate = gateAfter(gate, [0.75], params);
    expect(gate).toBe(0.75 ** 3);
    expect(clean(gate, 1)).toBe(0.75 ** 2);
    expect(clean(gate, 3)).toBe(1);
    expect(clean(1, 1)).toBe(1);
    expect(gateAfter(0, [], { gateFactor: 0 })).toBe(1);
  });

  it('makes deeper cuts last longer: a half for three clean windows, a quarter for five', () => {
    expect(clean(gateAfter(1, [0.5], params), 2)).toBeLessThan(1);
    expect(clean(gateAfter(1, [0.5], params), 3)).toBe(1);
    expect(clean(gateAfter(1, [0.25], params), 4)).toBeLessThan(1);
    expect(clean(gateAfter(1, [0.25], params), 5)).toBe(1);
    expect(gateAfter(1, [0.75, 0.25], params)).toBe(0.1875);
  });

  it('forgives a cut to nothing after as many clean windows as are remembered', () => {
    expect(clean(gateAfter(1, [0], params, 8), 7, 8)).toBeLessThan(1);
    expect(clean(gateAfter(1, [0], params, 8), 8, 8)).toBe(1);
    expect(clean(0, 100)).toBe(0);
  });

  it('is never above 1, and a cut never raises it', () => {
    const factor = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(factor, fc.array(factor), (gate, cuts) => {
        const after = gateAfter(gate, cuts, params, 8);
        expect(after).toBeLessThanOrEqual(cuts.length > 0 ? gate : 1);
        expect(after).toBeGreaterThanOrEqual(cuts.length > 0 ? 0 : gate);
      }),
    );
  });
});

describe('incentiveWeights', () => {
  it('squares the positive scores', () => {
    expect(incentiveWeights([3, -1, 4, 0], 2)).toEqual([9 / 25, 0, 16 / 25, 0]);
    expect(incentiveWeights([-1, 0], 2)).toEqual([0, 0]);
    expect(incentiveWeights([], 2)).toEqual([]);
  });

  it('sums to one or is all zero, is never negative, and ranks as the scores do', () => {
    fc.assert(
      fc.property(fc.array(score), fc.double({ min: 0.5, max: 5, noNaN: true }), (scores, power) => {
        const weights = incentiveWeights(scores, power);
        const total = weights.reduce((a, b) => a + b, 0);
        expect(scores.some((value) => value > 0) ? total : total + 1).toBeCloseTo(1, 10);
        expect(weights.every((weight) => weight >= 0)).toBe(true);
        scores.forEach((a, i) =>
          scores.forEach((b, j) => a > b && expect(weights[i]).toBeGreaterThanOrEqual(weights[j]!)),
        );
      }),
    );
  });

  it('permutes with the peers, bit for bit', () => {
    fc.assert(
      fc.property(fc.array(score, { minLength: 1 }), (scores) => {
        expect(incentiveWeights([...scores].reverse(), 2)).toEqual(incentiveWeights(scores, 2).reverse());
      }),
    );
  });

  it('pays one strong peer more than its halves (superlinear, so sybils lose)', () => {
    const [whole] = incentiveWeights([10, 10], 2) as [number];
    const [half, other] = incentiveWeights([5, 5, 10], 2) as [number, number];
    expect(half + other).toBeLessThan(whole);
  });
});

describe('tieredWeights', () => {
  const tiers = REFERENCE_TEMPLAR.weights;
  const ranked = (places: number): number[] => Array.from({ length: places }, (_, i) => 100 - i);
  const rounded = (weights: readonly number[]): number[] => weights.map((weight) => Math.round(weight * 1e6) / 1e6);

  it('has the golden vectors of the reference', () => {
    const full = rounded(tieredWeights(ranked(30), tiers));
    expect(full[0]).toBe(0.032259);
    expect(full[19]).toBe(0.01613);
    expect(full.slice(20, 23)).toEqual([0.008065, 0.004032, 0.002016]);
    const few = (gather: number, reserve: number): number[] =>
      rounded(tieredWeights(ranked(gather + reserve), { ...tiers, gather, reserve }));
    expect(few(4, 2)).toEqual([0.148148, 0.123457, 0.098765, 0.074074, 0.037037, 0.018519]);
    expect(few(5, 3)).toEqual([0.119403, 0.104478, 0.089552, 0.074627, 0.059701, 0.029851, 0.014925, 0.007463]);
    expect(rounded(tieredWeights(ranked(3), tiers))).toEqual([0.222222, 0.166667, 0.111111]);
  });

  it('burns everything when nobody is positive', () => {
    expect(tieredWeights([0, -1], tiers)).toEqual([0, 0]);
    expect(tieredWeights([], tiers)).toEqual([]);
  });

  it('sums to what is not burnt, is never negative, ranks as the scores do and permutes with the peers', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(score, fc.integer({ min: -2, max: 3 })), { maxLength: 40 }), (scores) => {
        const weights = tieredWeights(scores, tiers);
        const total = weights.reduce((a, b) => a + b, 0);
        expect(total).toBeCloseTo(scores.some((value) => value > 0) ? 1 - tiers.burnShare : 0, 12);
        expect(weights.every((weight) => weight >= 0)).toBe(true);
        scores.forEach((a, i) =>
          scores.forEach((b, j) => a >= b && expect(weights[i]).toBeGreaterThanOrEqual(weights[j]!)),
        );
        expect(tieredWeights([...scores].reverse(), tiers)).toEqual(weights.reverse());
      }),
    );
  });
});

describe('syncPositions', () => {
  const layout = parameterLayout(PRESETS.micro.model);

  it('are two distinct ones of every tensor', () => {
    const positions = syncPositions(3, 'hotkey', layout);
    expect(new Set(positions).size).toBe(positions.length);
    for (const { offset, size } of layout.parameters) {
      expect(positions.filter((at) => at >= offset && at < offset + size)).toHaveLength(2);
    }
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  it('differ by window and by hotkey, and are frozen', () => {
    const first = syncPositions(3, 'hotkey', layout);
    expect(syncPositions(3, 'hotkey', layout)).toEqual(first);
    expect(syncPositions(4, 'hotkey', layout)).not.toEqual(first);
    expect(syncPositions(3, 'other', layout)).not.toEqual(first);
    expect(first.slice(0, 6)).toMatchInlineSnapshot(`
      [
        5310,
        30309,
        32805,
        32816,
        34350,
        34926,
      ]
    `);
  });

  it('are at most 256 of any model', () => {
    for (const tensors of [1, 127, 128, 129, 256, 257, 1000]) {
      const parameters = Array.from({ length: tensors }, (_, i) => ({
        name: `${i}`,
        shape: [3],
        offset: 3 * i,
        size: 3,
      }));
      const positions = syncPositions(1, 'hotkey', { parameters, total: 3 * tensors });
      expect(positions.length).toBeLessThanOrEqual(MAX_SYNC_POSITIONS);
      expect(positions.length).toBeGreaterThanOrEqual(Math.min(2 * tensors, 129));
    }
    const single = { parameters: [{ name: 'one', shape: [1], offset: 0, size: 1 }], total: 1 };
    expect(syncPositions(1, 'hotkey', single)).toEqual([0]);
  });
});

describe('syncDistance', () => {
  it('counts steps', () => {
    expect(syncDistance([1, 2, 3], [1.5, 2, 2.5], 0.5, 'mean')).toBeCloseTo(2 / 3, 12);
    expect(syncDistance([1, 2], Float32Array.of(1, 2), 1e-4, 'mean')).toBe(0);
  });

  it('takes the mean between the quartiles, both included', () => {
    const zeros = [0, 0, 0, 0, 0, 0];
    // Quartiles of 0 1 2 3 4 100 by numpy.percentile: 1.25 and 3.75.
    expect(syncDistance([100, 0, 4, 1, 3, 2], zeros, 1, 'interquartile-mean')).toBe(2.5);
    // Quartiles of 0 1 2 3 100: 1 and 3, both in the sample.
    expect(syncDistance([100, 0, 1, 3, 2], zeros.slice(1), 1, 'interquartile-mean')).toBe(2);
    expect(syncDistance([7], [0], 1, 'interquartile-mean')).toBe(7);
  });

  it('lets a few wild values decide the mean, and not the mean between the quartiles', () => {
    const own = Array.from({ length: 100 }, () => 0);
    const sample = own.map((_, i) => (i < 20 ? 1e6 : 1));
    expect(syncDistance(sample, own, 1, 'mean')).toBeGreaterThan(1e5);
    expect(syncDistance(sample, own, 1, 'interquartile-mean')).toBe(1);
  });

  it('is infinite without a comparable sample', () => {
    for (const statistic of ['mean', 'interquartile-mean'] as const) {
      expect(syncDistance([], [], 1, statistic)).toBe(Infinity);
      expect(syncDistance([1], [1, 2], 1, statistic)).toBe(Infinity);
      expect(syncDistance([1, 2, 3, Infinity], [1, 2, 3, 4], 1, statistic)).toBe(Infinity);
      expect(syncDistance([1, 2, 3, Number.NaN], [1, 2, 3, 4], 1, statistic)).toBe(Infinity);
    }
  });
});

describe('syncScore', () => {
  it('has the values of the reference (v0.2.84: maximum 5, exponent 2.5)', () => {
    const values = [0, 0.5, 1, 2, 3, 5, 50, Infinity].map((distance) => syncScore(distance, params));
    const expected = [1, 0.768, 0.572, 0.279, 0.101, 0, 0, 0];
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 3);
    });
  });

  it('has the values of templar 2.1 (maximum 3)', () => {
    const values = [0, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 50].map((distance) => syncScore(distance, REFERENCE_TEMPLAR));
    const expected = [1, 0.919, 0.805, 0.634, 0.363, 0.177, 0.064, 0, 0];
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 3);
    });
  });
});

describe('probation', () => {
  const fresh = freshFigures(params);

  it('does not end by evaluations without anybody to be rated against', () => {
    const alone = scoreWindow(7, [scoredPeer('a', { before: fresh, loss: 0.1 })], params);
    expect(alone.get('a')).toMatchObject({ evaluations: 0, rating: fresh.rating });
    const two = ['a', 'b'].map((hotkey, uid) => scoredPeer(hotkey, { uid, before: fresh, loss: 0.1 + uid }));
    expect([...scoreWindow(7, two, params).values()].map(({ evaluations }) => evaluations)).toEqual([1, 1]);
  });
});
