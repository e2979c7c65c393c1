import { expect, it } from 'vitest';
import { seedFrom } from '../../numerics/prng.ts';
import { scoreWindow } from '../scoring.ts';
import { selectAggregation } from '../selection.ts';
import { ABSENT, scoredPeer } from '../testing/scored-peer.ts';
import { GAUNTLET_PROFILES } from './defaults.ts';

const { none, paper } = GAUNTLET_PROFILES;
const peers = [
  scoredPeer('absent', { uid: 0, ...ABSENT }),
  scoredPeer('desynchronised', { uid: 1, passed: false, sync: 0 }),
  scoredPeer('good', { uid: 2, loss: 1 }),
  scoredPeer('harmful', { uid: 3, loss: -1 }),
  scoredPeer('unreadable', { uid: 4, passed: false, wellFormed: false }),
];

it('aggregates whatever has the right form, and pays everybody who delivered the same', () => {
  const figures = scoreWindow(41, peers, none);
  const candidates = peers.map((peer) => ({ ...peer, after: figures.get(peer.hotkey)! }));
  expect(selectAggregation(41, candidates, none, seedFrom('b'))).toEqual(['desynchronised', 'good', 'harmful']);
  expect(peers.map(({ hotkey }) => figures.get(hotkey)!.weight)).toEqual([0, 0.25, 0.25, 0.25, 0.25]);
  expect(selectAggregation(41, candidates, paper, seedFrom('b'))).toEqual(['good']);
});

it('measures what the paper’s profile measures', () => {
  const measured = scoreWindow(41, peers, paper);
  for (const [hotkey, figures] of scoreWindow(41, peers, none)) {
    const inPaper = measured.get(hotkey)!;
    expect({ ...figures, weight: inPaper.weight }).toEqual(inPaper);
  }
});
