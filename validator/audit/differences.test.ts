import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from './differences.ts';

describe('differences', () => {
  it('are none between equal values, as JSON has them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(differences(JSON.parse(JSON.stringify(value)), value, 'value')).toEqual([]);
      }),
    );
  });

  it('name the leaf, however deep', () => {
    const published = { peers: { a: { rating: { mu: 25 }, flags: ['new'] } } };
    const recomputed = { peers: { a: { rating: { mu: 26 }, flags: ['new', 'gated'] } } };
    expect(differences(published, recomputed, 'book')).toEqual([
      { item: 'book.peers.a.rating.mu', published: 25, recomputed: 26 },
      { item: 'book.peers.a.flags.1', published: undefined, recomputed: 'gated' },
    ]);
  });

  it('tolerate numbers that are nearly equal, and nothing else', () => {
    expect(differences({ loss: 7 }, { loss: 7.0001 }, 'x', 2e-5)).toEqual([]);
    expect(differences({ loss: 7 }, { loss: 7.001 }, 'x', 2e-5)).toHaveLength(1);
    expect(differences(null, 0, 'x', 1)).toHaveLength(1);
    expect(differences(NaN, 0, 'x', 1)).toHaveLength(1);
    expect(differences('a', 'b', 'x', 1)).toHaveLength(1);
    expect(differences([1], null, 'x', 1)).toHaveLength(1);
  });
});
