import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFERENCE_GAUNTLET } from '../model/presets.ts';
import { seedFrom } from '../numerics/prng.ts';
import { assignmentSeedOf, beaconCommit, beaconOf } from './beacon.ts';
import { freshFigures } from './scoring.ts';
import {
  drawEvaluations,
  selectAggregation,
  type AggregationCandidate,
  type EvaluationCandidate,
} from './selection.ts';

const beacon = seedFrom('test beacon');
const params = { ...REFERENCE_GAUNTLET, topG: 3, probationEvaluations: 4, evaluationsPerWindow: 3 };

interface Changes extends Partial<Omit<AggregationCandidate, 'after'>> {
  readonly peerScore?: number;
  readonly ordinal?: number;
  readonly evaluations?: number;
  readonly loss?: number | null;
}

const peer = (
  hotkey: string,
  { peerScore = 1, ordinal = 0, evaluations = 10, loss = null, ...changes }: Changes = {},
): AggregationCandidate => ({
  hotkey,
  wellFormed: true,
  passed: true,
  overlap: null,
  lossScores: loss === null ? null : { assigned: 0, random: loss },
  after: { ...freshFigures(params), peerScore, evaluations, rating: { mu: ordinal, sigma: 0 } },
  ...changes,
});

const waiting = (hotkey: string, waited: number): EvaluationCandidate => ({
  hotkey,
  before: { ...freshFigures(params), waited },
});

describe('drawEvaluations', () => {
  const candidates = ['d', 'a', 'c', 'b', 'e'].map(waiting);

  it('draws distinct peers, whatever order they are listed in', () => {
    const drawn = drawEvaluations(1, candidates, params, beacon);
    expect(new Set(drawn).size).toBe(3);
    expect(drawEvaluations(1, [...candidates].reverse(), params, beacon)).toEqual(drawn);
    const all = drawEvaluations(1, candidates, { ...params, evaluationsPerWindow: 99 }, beacon);
    expect(all.slice(0, 3)).toEqual(drawn);
    expect(all.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(drawEvaluations(1, [], params, beacon)).toEqual([]);
  });

  it('draws in proportion to the windows waited plus one', () => {
    const counts = new Map<string, number>();
    const rounds = 4_000;
    for (let i = 0; i < rounds; i++) {
      const [first] = drawEvaluations(1, [waiting('x', 0), waiting('y', 3)], params, seedFrom(i));
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
    expect(selectAggregation(1, peers, params, beacon)).toEqual(['a', 'y', 'z']);
  });

  it('leaves out who failed a check, just did harm or has neither score nor probation', () => {
    const peers = [
      peer('failed', { passed: false }),
      peer('harmful', { loss: -0.1 }),
      peer('useless', { loss: 0 }),
      peer('broken', { loss: Number.NaN }),
      peer('worthless', { peerScore: 0 }),
      peer('fresh', { peerScore: 0, evaluations: 3 }),
      peer('helpful', { loss: 0.1 }),
    ];
    expect(selectAggregation(1, peers, params, beacon)).toEqual(['fresh', 'helpful']);
    expect(selectAggregation(1, peers.slice(0, 5), params, beacon)).toEqual([]);
  });

  it('decides equal scores by ordinal, then by the beacon', () => {
    const byOrdinal = ['a', 'b', 'c', 'd'].map((hotkey, i) => peer(hotkey, { ordinal: i }));
    expect(selectAggregation(1, byOrdinal, params, beacon)).toEqual(['b', 'c', 'd']);
    const equal = ['a', 'b', 'c', 'd'].map((hotkey) => peer(hotkey));
    const choices = new Set(
      Array.from({ length: 60 }, (_, i) => selectAggregation(1, equal, params, seedFrom(i)).join()),
    );
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
          peer(`p${i}`, { peerScore: score, ordinal, loss, passed }),
        );
        const moved = [...peers.slice(shift), ...peers.slice(0, shift)].reverse();
        const selected = selectAggregation(1, peers, params, beacon);
        expect(selectAggregation(1, moved, params, beacon)).toEqual(selected);
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
