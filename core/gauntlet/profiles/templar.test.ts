import { describe, expect, it } from 'vitest';
import { seedFrom } from '../../numerics/prng.ts';
import type { Figures } from '../../protocol/figures.ts';
import { NoGauntletSchema, TemplarGauntletSchema } from '../../protocol/manifest.ts';
import { idleFigures, scoreWindow, type ScoredPeer } from '../scoring.ts';
import { drawEvaluations, selectAggregation } from '../selection.ts';
import { ABSENT, scoredPeer, type PeerChanges } from '../testing/scored-peer.ts';
import { idleVerdicts, scoredVerdicts } from '../verdicts.ts';
import { GAUNTLET_PROFILES } from './defaults.ts';
import { withoutGauntlet } from './none.ts';
import { REFERENCE_TEMPLAR } from './templar.ts';

const WINDOW = 41;
const params = REFERENCE_TEMPLAR;

/** A crowd of good standing, so that no guard holds. */
const crowd = Array.from({ length: 6 }, (_, i) => scoredPeer(`good ${i}`, { uid: 100 + i, loss: 1 }));

const play = (peer: ScoredPeer, window = WINDOW): Figures =>
  scoreWindow(window, [peer, ...crowd], params).get(peer.hotkey)!;

const after = (changes: PeerChanges): Figures => play(scoredPeer('p', changes));

/** What a peer hears besides the fast checks and the loss scores. */
function reasons(changes: PeerChanges): string[] {
  const peers = [scoredPeer('p', changes), ...crowd];
  const figures = scoreWindow(WINDOW, peers, params);
  const scored = peers.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
  return scoredVerdicts(WINDOW, scored, params)[0]!
    .filter(({ check }) => check === 'conduct' || check === 'overlap')
    .map(({ check, reason }) => `${check}: ${reason}`);
}

function aggregated(...peers: ScoredPeer[]): string[] {
  const figures = scoreWindow(WINDOW, peers, params);
  const candidates = peers.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
  return selectAggregation(WINDOW, candidates, params, seedFrom('beacon'));
}

describe('the constants', () => {
  it('are those of the reference (hparams.json, validator.py and neurons.py of templar 2.1.28)', () => {
    expect(TemplarGauntletSchema.parse(params)).toEqual(params);
    expect(params).toMatchObject({
      evaluationsPerWindow: 20,
      evaluationStepScale: 0.2,
      pocDecay: 0.95,
      rating: { mu: 25, sigma: 25 / 3, beta: 7, tau: 0.1, z: 3 },
      missingScore: -99,
      syncThreshold: 2,
      syncMax: 3,
      syncExponent: 2.5,
      topG: 20,
      evaluationBins: 5,
      weights: { gather: 20, reserve: 10, topRatio: 2, gatherShare: 0.75, reserveDecay: 0.5, burnShare: 0.5 },
    });
  });

  it('without Gauntlet are the same where they have a meaning', () => {
    expect(NoGauntletSchema.parse(GAUNTLET_PROFILES.none)).toEqual(GAUNTLET_PROFILES.none);
    expect(GAUNTLET_PROFILES.none.rating).toEqual(GAUNTLET_PROFILES.paper.rating);
    expect(withoutGauntlet(params).syncThreshold).toBe(2);
  });
});

describe('misses', () => {
  it('cut gate and μ by 0.75, then 0.5, then to nothing', () => {
    for (const [missesInRow, factor] of [0.75, 0.5, 0, 0].entries()) {
      const { gate, poc, peerScore, conduct } = after({ ...ABSENT, conduct: { missesInRow } });
      expect([gate, poc]).toEqual([factor, 0.5 * factor]);
      expect(peerScore).toBeCloseTo(25 * 0.5 * factor ** 2, 12);
      expect(conduct.missesInRow).toBe(missesInRow + 1);
    }
    expect(reasons(ABSENT)).toEqual(['conduct: A window without a contribution: score and μ are multiplied by 0.75.']);
    expect(reasons({ ...ABSENT, conduct: { missesInRow: 2 } })).toEqual([
      'conduct: No contribution for 3 windows: score and μ are multiplied by 0.',
    ]);
  });

  it('begin anew with every delivery', () => {
    expect(after({ conduct: { missesInRow: 2, deliveries: '1100' } }).conduct).toMatchObject({
      missesInRow: 0,
      deliveries: '11001',
    });
  });

  it('go on while the peer is inactive, and end in a fresh start', () => {
    let figures: Figures = { ...scoredPeer('p').before, lastDelivered: WINDOW };
    const gates: number[] = [];
    const heard: string[] = [];
    for (let window = WINDOW + 1; window <= WINDOW + 7; window++) {
      const old = figures;
      const idle = window === WINDOW + 1 ? undefined : idleFigures(old, window, params);
      figures = idle ?? play(scoredPeer('p', { ...ABSENT, before: old }), window);
      if (idle) heard.push(...idleVerdicts(window, { before: old, after: figures }).map(({ reason }) => reason));
      gates.push(figures.gate);
      if (window === WINDOW + 6) break;
    }
    expect(gates).toEqual([0.75, 0.375, 0, 0, 0, 1]);
    expect(figures).toMatchObject({ rating: { mu: 25 }, poc: 0, evaluations: 0 });
    expect(heard).toEqual([
      'Nothing arrived for 2 windows: it is inactive, without weight and evaluation.',
      'Nothing arrived for 6 windows: it starts afresh.',
    ]);
  });

  it('of a peer without a weight cost it one cut and are not held against it', () => {
    const { gate, conduct } = after({ ...ABSENT, before: { weight: 0 } });
    expect(gate).toBe(0.75);
    expect(conduct).toMatchObject({ missesInRow: 0, deliveries: '' });
  });

  it('of half of the last eight windows bring a fresh start and a ban of twenty', () => {
    const alternating = { ...ABSENT, conduct: { deliveries: '1010101' } };
    const banned = after(alternating);
    expect(banned).toMatchObject({ rating: { mu: 25 }, poc: 0, peerScore: 0, weight: 0, gate: 1 });
    expect(banned.conduct).toMatchObject({ naughtyUntil: WINDOW + 20, deliveries: '' });
    expect(banned.flags).toContain('naughty');
    expect(reasons(alternating)[1]).toMatch(/missed 4 of its last 8 windows: .* banned up to window 61/);
    expect(after({ ...ABSENT, conduct: { deliveries: '1110101' } }).conduct.naughtyUntil).toBe(0);
  });
});

describe('a ban', () => {
  const banned = { conduct: { naughtyUntil: WINDOW } };

  it('starts the peer afresh every window, keeps it from evaluation and aggregation, and ends', () => {
    expect(after({ ...banned, loss: 9 })).toMatchObject({ rating: { mu: 25 }, poc: 0, peerScore: 0, weight: 0 });
    expect(reasons(banned)).toEqual([
      'conduct: It is banned up to window 41: it starts afresh every window and is not aggregated.',
    ]);
    expect(aggregated(scoredPeer('p', banned))).toEqual([]);
    expect(drawEvaluations(WINDOW, [scoredPeer('p', banned)], params, seedFrom('draw'))).toEqual([]);
    expect(drawEvaluations(WINDOW + 1, [scoredPeer('p', banned)], params, seedFrom('draw'))).toEqual(['p']);
    expect(play(scoredPeer('p', banned), WINDOW + 1).rating.mu).toBe(40);
  });

  it('is not waited out by staying away', () => {
    const { before } = scoredPeer('p', { before: { lastDelivered: 30 }, conduct: { naughtyUntil: 60 } });
    expect(idleFigures(before, 36, params)).toMatchObject({ rating: { mu: 25 }, conduct: { naughtyUntil: 60 } });
  });
});

describe('evaluations that raise the loss', () => {
  it('cut by 0.25 where they are more than half of the last eight', () => {
    const four = after({ loss: -1, conduct: { evaluations: '1110001' } });
    expect([four.gate, four.conduct.evaluations]).toEqual([1, '11100010']);
    const five = { loss: -1, conduct: { evaluations: '1010001' } };
    expect(after(five).gate).toBe(0.25);
    expect(after(five).poc).toBeCloseTo(0.25 * (0.95 * 0.5 + 0.05), 12);
    expect(reasons(five)).toEqual([
      'conduct: 5 of its last 8 evaluations raised the loss: score and μ are multiplied by 0.25.',
    ]);
  });

  it('three in a row exclude from aggregation until one lowers it', () => {
    const excluded = scoredPeer('p', { loss: -1, conduct: { negativesInRow: 2, evaluations: '1111100' } });
    expect(play(excluded)).toMatchObject({ conduct: { negativesInRow: 3 }, flags: ['excluded'] });
    const later = scoredPeer('p', { conduct: { negativesInRow: 3 } });
    expect(aggregated(later)).toEqual([]);
    expect(reasons({ conduct: { negativesInRow: 3 } })).toEqual([
      'conduct: Its last 3 evaluations raised the loss: it is not aggregated until one lowers it.',
    ]);
    expect(aggregated(scoredPeer('p', { loss: 1, conduct: { negativesInRow: 3 } }))).toEqual(['p']);
  });

  it('do not count in a window in which the fifth best raised it too', () => {
    const peers = Array.from({ length: 5 }, (_, i) =>
      scoredPeer(`p${i}`, { uid: i, loss: -1 - i, conduct: { negativesInRow: 2, evaluations: '0000' } }),
    );
    const guarded = scoreWindow(WINDOW, peers, params).get('p4')!;
    expect(guarded).toMatchObject({ gate: 1, conduct: { negativesInRow: 2, evaluations: '0000' } });
    expect(scoreWindow(WINDOW, peers.slice(1), params).get('p4')).toMatchObject({
      gate: 0.25,
      flags: ['gated', 'excluded'],
    });
  });
});

describe('a contribution that another uploaded before', () => {
  const copy = (share: number): PeerChanges => ({ overlap: { share, with: 'original' } });

  it('is cut by half, starts its peer afresh, or bans it too', () => {
    expect(after(copy(0.39))).toMatchObject({ gate: 1, poc: 0.5 });
    expect(after(copy(0.4))).toMatchObject({ gate: 0.5, poc: 0.25, flags: ['gated', 'copied'] });
    expect(after(copy(0.5))).toMatchObject({ rating: { mu: 25 }, poc: 0, conduct: { naughtyUntil: 0 } });
    expect(after(copy(0.6))).toMatchObject({ rating: { mu: 25 }, poc: 0, conduct: { naughtyUntil: 61 } });
    expect(reasons(copy(0.4))).toEqual([
      'overlap: 40.0 % of the indices it keeps are those that original uploaded before: score and μ are multiplied by 0.5.',
    ]);
    expect(reasons(copy(1))[0]).toMatch(/^overlap: 100.0 % .* starts afresh and is banned up to window 61\.$/);
  });

  it('is not aggregated', () => {
    expect(aggregated(scoredPeer('original'), scoredPeer('p', copy(0.4)))).toEqual(['original']);
  });
});

describe('a failed fast check', () => {
  it('cuts gate and μ, and lasts as long as the gate remembers', () => {
    const failed = { delivered: true, passed: false, sync: 0.05 };
    const { gate, poc } = after(failed);
    expect([gate, poc]).toEqual([0.75, 0.375]);
    expect(after({ before: { gate, poc } })).toMatchObject({ gate: 1, poc: 0.375 });
  });
});

describe('the score', () => {
  it('counts μ below 0.1 as nothing, ten windows after the first', () => {
    const low = scoredPeer('p', { before: { poc: 0.09 } });
    expect(play(low, 10).peerScore).toBeGreaterThan(0);
    expect(play(low, 11).peerScore).toBe(0);
    expect(play(low, 11).poc).toBe(0.09);
    expect(after({ before: { poc: 0.1 } }).peerScore).toBeGreaterThan(0);
  });

  it('leaves a negative one as it is: no cut raises it', () => {
    const negative = { before: { rating: { mu: 10, sigma: 5 } } };
    const whole = after(negative).peerScore;
    expect(whole).toBeLessThan(0);
    expect(after({ ...negative, ...ABSENT, conduct: { missesInRow: 0 } }).peerScore).toBeGreaterThanOrEqual(whole);
    expect(after({ ...negative, before: { ...negative.before, gate: 0.25 } }).peerScore).toBe(whole);
  });
});

describe('aggregation', () => {
  const ranked = Array.from({ length: 40 }, (_, i) =>
    scoredPeer(`p${String(i).padStart(2, '0')}`, { uid: i, before: { rating: { mu: 80 - i, sigma: 5 } } }),
  );
  const failing = (...places: number[]): ScoredPeer[] =>
    ranked.map((peer, i) => (places.includes(i) ? { ...peer, passed: false } : peer));
  const places = (names: readonly string[]): number[] => names.map((name) => Number(name.slice(1)));

  it('takes the twenty best, and fills the place of one that fails from the reserves in their order', () => {
    expect(places(aggregated(...ranked))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const refilled = places(aggregated(...failing(3, 7)));
    expect(refilled).toHaveLength(20);
    expect(refilled.slice(-2)).toEqual([20, 21]);
  });

  it('leaves nobody out for a score that is not positive, but takes all others before', () => {
    const worthless = scoredPeer('p99', { uid: 99, before: { poc: -0.5, rating: { mu: 90, sigma: 5 } } });
    expect(places(aggregated(worthless, ...ranked.slice(0, 5)))).toEqual([0, 1, 2, 3, 4, 99]);
    expect(places(aggregated(worthless, ...ranked))).not.toContain(99);
  });

  it('reaches no further than the reserves', () => {
    const inFront = Array.from({ length: 15 }, (_, i) =>
      scoredPeer(`failed ${i}`, { uid: 50 + i, passed: false, before: { rating: { mu: 400, sigma: 5 } } }),
    );
    expect(places(aggregated(...inFront, ...ranked))).toEqual(Array.from({ length: 15 }, (_, i) => i));
  });
});

describe('evaluations', () => {
  it('are drawn from one bin of similar ratings where each bin has enough', () => {
    const small = { ...params, evaluationsPerWindow: 4, evaluationBins: 5 };
    const peers = Array.from({ length: 20 }, (_, i) =>
      scoredPeer(`p${String(i).padStart(2, '0')}`, { before: { rating: { mu: 25 + i, sigma: 5 } } }),
    );
    const bins = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const drawn = drawEvaluations(WINDOW, peers, small, seedFrom(i));
      const places = drawn.map((name) => Math.floor(Number(name.slice(1)) / 4));
      expect(new Set(places).size).toBe(1);
      expect(drawn).toHaveLength(4);
      bins.add(String(places[0]));
    }
    expect([...bins].sort()).toEqual(['0', '1', '2', '3', '4']);
    const few = drawEvaluations(WINDOW, peers.slice(1), small, seedFrom(1));
    expect(new Set(few.map((name) => Math.floor(Number(name.slice(1)) / 4))).size).toBeGreaterThan(1);
  });
});
