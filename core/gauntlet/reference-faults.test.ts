/** Known faults of the reference (templar), each beside what happens here. docs/gauntlet.md has the list. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { seedFrom } from '../numerics/prng.ts';
import type { Figures } from '../protocol/figures.ts';
import { GAUNTLET_PROFILES } from './profiles/defaults.ts';
import { ordinal } from './rating.ts';
import { scoreWindow, type ScoredPeer } from './scoring.ts';
import { drawEvaluations, selectAggregation } from './selection.ts';
import { ABSENT, scoredPeer } from './testing/scored-peer.ts';

const { paper, 'templar-2.1': templar } = GAUNTLET_PROFILES;
const WINDOW = 41;

/** `final_scores` of the reference: written anew at every evaluation, from these three alone. */
const recomputed = ({ rating, poc, sync }: Figures): number =>
  ordinal(rating, paper.rating) * Math.max(0, poc) * (sync ?? 0);

describe.each([paper, templar])('in profile $profile', (params) => {
  const play = (peer: ScoredPeer, window = WINDOW): Figures => scoreWindow(window, [peer], params).get(peer.hotkey)!;

  it('a cut outlasts the next evaluation', () => {
    let figures = scoredPeer('p', { before: { lastDelivered: WINDOW } }).before;
    for (const window of [WINDOW, WINDOW + 1])
      figures = play(scoredPeer('p', { passed: false, before: figures }), window);
    figures = play(scoredPeer('p', { before: figures, loss: 1 }), WINDOW + 2);
    expect(recomputed(figures)).toBeGreaterThan(0);
    expect(figures.peerScore).toBeCloseTo(0.75 * recomputed(figures), 12);
  });

  it('two negative factors make no positive score', () => {
    const { peerScore, weight } = play(scoredPeer('p', { before: { rating: { mu: 1, sigma: 8 }, poc: -0.8 } }));
    expect(-23 * -0.8).toBeGreaterThan(0);
    expect([peerScore, weight]).toEqual([0, 0]);
  });

  it('a cut does not raise a negative score', () => {
    const negative = { rating: { mu: 1, sigma: 8 }, gate: 1 };
    const clean = play(scoredPeer('p', { before: negative })).peerScore;
    const failed = play(scoredPeer('p', { before: negative, passed: false, sync: 1 })).peerScore;
    expect(clean).toBeLessThan(0);
    expect(clean * 0.75).toBeGreaterThan(clean);
    expect(failed).toBe(clean);
    expect(play(scoredPeer('p', { before: { ...negative, gate: 0.1 } })).peerScore).toBe(clean);
  });

  it('the draw follows from the beacon alone, and not from the time', () => {
    const peers = Array.from({ length: 40 }, (_, i) => scoredPeer(`p${i}`));
    vi.useFakeTimers();
    const draws = [0, 1e12, 2e12].map((time) => {
      vi.setSystemTime(time);
      return drawEvaluations(WINDOW, peers, params, seedFrom('beacon')).join();
    });
    expect(new Set(draws).size).toBe(1);
    expect(drawEvaluations(WINDOW, peers, params, seedFrom('another')).join()).not.toBe(draws[0]);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('who stays away is not cheaper off than who delivers what fails', () => {
    const absent = play(scoredPeer('p', ABSENT)).peerScore;
    const failed = play(scoredPeer('p', { passed: false, sync: 1 })).peerScore;
    expect(absent).toBeLessThanOrEqual(failed);
  });
});

describe('reserves', () => {
  const small = { ...templar, topG: 1, weights: { ...templar.weights, gather: 1, reserve: 2 } };
  const places = [60, 50, 40].map((mu, i) => scoredPeer(`p${i}`, { uid: i, before: { rating: { mu, sigma: 5 } } }));
  const aggregated = (peers: readonly ScoredPeer[]): string[] => {
    const figures = scoreWindow(WINDOW, peers, small);
    const candidates = peers.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
    return selectAggregation(WINDOW, candidates, small, seedFrom('beacon'));
  };

  it('pass the same checks as those they stand in for', () => {
    const [first, second, third] = places as [ScoredPeer, ScoredPeer, ScoredPeer];
    const failing = { passed: false, wellFormed: false };
    expect(aggregated(places)).toEqual(['p0']);
    expect(aggregated([{ ...first, ...ABSENT }, second, third])).toEqual(['p1']);
    expect(aggregated([{ ...first, ...ABSENT }, { ...second, ...failing }, third])).toEqual(['p2']);
  });
});
