import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { selectPeers, type Selection, type SortKey } from './rows.ts';

const peer = (uid: number, change: Partial<LeaderboardEntry> = {}): LeaderboardEntry => ({
  rank: uid + 1,
  hotkey: `5Hot${uid}`,
  uid,
  rating: { mu: 25, sigma: 8, ordinal: uid },
  poc: 0,
  sync: 1,
  peerScore: 10 - uid,
  weight: 0,
  flags: [],
  previousRank: null,
  trend: [],
  lastDelivered: 9,
  ...change,
});

const ALL: Selection = { filter: 'all', search: '', sort: 'rank', reversed: false };
const about = { window: 9, own: '5Hot1', labels: new Map([['5Hot2', { name: 'Honest-1', kind: 'honest' }]]) };
const peers = [peer(0), peer(1, { flags: ['inactive'], lastDelivered: 3 }), peer(2, { rank: null, flags: ['new'] })];
const uids = (change: Partial<Selection>): number[] =>
  selectPeers(peers, { ...ALL, ...change }, about).map(({ uid }) => uid);

describe('the leaderboard’s rows', () => {
  it('are filtered', () => {
    expect(uids({ filter: 'contributing' })).toEqual([0, 2]);
    // To be new is no fault.
    expect(uids({ filter: 'flagged' })).toEqual([1]);
    expect(uids({ filter: 'own' })).toEqual([1]);
  });

  it('are found by uid, part of a hotkey and name', () => {
    expect(uids({ search: '2' })).toEqual([2]);
    expect(uids({ search: ' 5hot ' })).toEqual([0, 1, 2]);
    expect(uids({ search: 'honest' })).toEqual([2]);
    expect(uids({ search: 'nobody' })).toEqual([]);
  });

  it('are sorted, the unranked last, and the other way round', () => {
    expect(uids({})).toEqual([0, 1, 2]);
    expect(uids({ sort: 'rating' })).toEqual([2, 1, 0]);
    expect(uids({ sort: 'rating', reversed: true })).toEqual([0, 1, 2]);
  });

  it('lose nobody and change nothing, whatever they are sorted by', () => {
    const keys: SortKey[] = ['rank', 'rating', 'poc', 'peerScore', 'weight'];
    const scores = fc.array(fc.record({ poc: fc.double({ noNaN: true }), weight: fc.double({ noNaN: true }) }));
    fc.assert(
      fc.property(scores, fc.constantFrom(...keys), fc.boolean(), (figures, sort, reversed) => {
        const given = figures.map((change, uid) => peer(uid, change));
        const copy = structuredClone(given);
        const selected = selectPeers(given, { ...ALL, sort, reversed }, about);
        expect(given).toEqual(copy);
        expect(new Set(selected)).toEqual(new Set(given));
      }),
    );
  });
});
