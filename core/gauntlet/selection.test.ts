import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seedFrom } from '../numerics/prng.ts';
import { assignmentSeedOf, beaconCommit, beaconOf } from './beacon.ts';
import { drawEvaluations, selectAggregation, type AggregationCandidate } from './selection.ts';

const beacon = seedFrom('test beacon');
const params = { topG: 3, probationEvaluations: 4 };

const peer = (hotkey: string, changes: Partial<AggregationCandidate> = {}): AggregationCandidate => ({
  hotkey,
  passedFastChecks: true,
  evaluatedLossScoreRandom: null,
  peerScore: 1,
  ordinal: 0,
  evaluations: 10,
  ...changes,
});

describe('drawEvaluations', () => {
  const candidates = ['d', 'a', 'c', 'b', 'e'].map((hotkey, i) => ({ hotkey, windowsWaited: i }));

  it('draws distinct peers, whatever order they are listed in', () => {
    const drawn = drawEvaluations(candidates, 3, beacon);
    expect(new Set(drawn).size).toBe(3);
    expect(drawEvaluations([...candidates].reverse(), 3, beacon)).toEqual(drawn);
    expect(drawEvaluations(candidates, 99, beacon).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(drawEvaluations([], 3, beacon)).toEqual([]);
  });

  it('draws in proportion to the windows waited plus one', () => {
    const counts = new Map<string, number>();
    const rounds = 4_000;
    for (let i = 0; i < rounds; i++) {
      const [first] = drawEvaluations(
        [
          { hotkey: 'x', windowsWaited: 0 },
          { hotkey: 'y', windowsWaited: 3 },
        ],
        1,
        seedFrom(i),
      );
      counts.set(first!, (counts.get(first!) ?? 0) + 1);
    }
    expect(counts.get('y')! / rounds).toBeCloseTo(0.8, 1);
  });
});

describe('selectAggregation', () => {
  it('takes the best scores and returns them by hotkey', () => {
    const peers = [
      peer('z', { peerScore: 9 }),
      peer('b', { peerScore: 1 }),
      peer('y', { peerScore: 5 }),
      peer('a', { peerScore: 3 }),
    ];
    expect(selectAggregation(peers, params, beacon)).toEqual(['a', 'y', 'z']);
  });

  it('leaves out who failed a check, just did harm or has neither score nor probation', () => {
    const peers = [
      peer('failed', { passedFastChecks: false }),
      peer('harmful', { evaluatedLossScoreRandom: -0.1 }),
      peer('useless', { evaluatedLossScoreRandom: 0 }),
      peer('broken', { evaluatedLossScoreRandom: Number.NaN }),
      peer('worthless', { peerScore: 0 }),
      peer('fresh', { peerScore: 0, evaluations: 3 }),
      peer('helpful', { evaluatedLossScoreRandom: 0.1 }),
    ];
    expect(selectAggregation(peers, params, beacon)).toEqual(['fresh', 'helpful']);
    expect(selectAggregation(peers.slice(0, 5), params, beacon)).toEqual([]);
  });

  it('decides equal scores by ordinal, then by the beacon', () => {
    const byOrdinal = ['a', 'b', 'c', 'd'].map((hotkey, i) => peer(hotkey, { ordinal: i }));
    expect(selectAggregation(byOrdinal, params, beacon)).toEqual(['b', 'c', 'd']);
    const equal = ['a', 'b', 'c', 'd'].map((hotkey) => peer(hotkey));
    const choices = new Set(Array.from({ length: 60 }, (_, i) => selectAggregation(equal, params, seedFrom(i)).join()));
    expect(choices.size).toBe(4);
  });

  it('does not depend on the order in which peers arrive', () => {
    const any = fc.record({
      score: fc.integer({ min: -2, max: 2 }),
      ordinal: fc.integer({ min: 0, max: 1 }),
      loss: fc.option(fc.integer({ min: -1, max: 1 })),
      passed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), fc.nat(7), (list, shift) => {
        const peers = list.map(({ score, ordinal, loss, passed }, i) =>
          peer(`p${i}`, { peerScore: score, ordinal, evaluatedLossScoreRandom: loss, passedFastChecks: passed }),
        );
        const moved = [...peers.slice(shift), ...peers.slice(0, shift)].reverse();
        const selected = selectAggregation(peers, params, beacon);
        expect(selectAggregation(moved, params, beacon)).toEqual(selected);
        expect(selected.length).toBeLessThanOrEqual(params.topG);
        expect(selected).toEqual([...selected].sort());
      }),
    );
  });
});

describe('beacon', () => {
  const secret = 'ab'.repeat(32);
  const entries = [
    { hotkey: 'a', sha256: '11' },
    { hotkey: 'b', sha256: '22' },
  ];
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('commits by a hash with its own domain', () => {
    const expected = createHash('sha256')
      .update('gauntlet/beacon/v1\0')
      .update(Buffer.from(secret, 'hex'))
      .digest('hex');
    expect(beaconCommit(secret)).toBe(expected);
  });

  it('mixes secret, window and every receipt, in no particular order', () => {
    const base = hex(beaconOf(secret, 5, entries));
    expect(base).toHaveLength(64);
    expect(hex(beaconOf(secret, 5, [...entries].reverse()))).toBe(base);
    const others = [
      beaconOf('cd'.repeat(32), 5, entries),
      beaconOf(secret, 6, entries),
      beaconOf(secret, 5, entries.slice(1)),
      beaconOf(secret, 5, [entries[0]!, { hotkey: 'b', sha256: '23' }]),
    ].map(hex);
    expect(new Set([base, ...others]).size).toBe(5);
  });

  it('seeds an assignment by the previous reveal, run and window', () => {
    const run = '00'.repeat(16);
    const seeds = [
      assignmentSeedOf(secret, run, 2),
      assignmentSeedOf(secret, run, 3),
      assignmentSeedOf(null, run, 2),
      assignmentSeedOf(secret, '11'.repeat(16), 2),
    ];
    expect(new Set(seeds).size).toBe(4);
    for (const seed of seeds) expect(seed).toMatch(/^[0-9a-f]{64}$/);
  });
});
