import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFERENCE_GAUNTLET } from '../model/presets.ts';
import { freshRating, ordinal, ratePeers, type SkillRating } from './rating.ts';

const params = REFERENCE_GAUNTLET.rating;
const fresh = freshRating(params);

function match(ratings: readonly SkillRating[], scores: readonly number[]): SkillRating[] {
  return ratePeers(
    ratings.map((rating, i) => ({ id: `peer ${i}`, rating })),
    scores,
    params,
  );
}

/** mu, sigma and ordinal to the digits of the fact sheet. */
const rows = (ratings: readonly SkillRating[]): number[][] =>
  ratings.map((rating) =>
    [rating.mu, rating.sigma, ordinal(rating, params)].map((value) => Math.round(value * 1e6) / 1e6),
  );

describe('ratePeers', () => {
  const scores = [0.02, 0.01, 0.005, REFERENCE_GAUNTLET.missingScore];

  it('has the golden vectors of four fresh peers, twice (reference: openskill 6.1.3, beta 7, tau 0.1)', () => {
    const once = match([fresh, fresh, fresh, fresh], scores);
    expect(rows(once)).toEqual([
      [27.393071, 8.289969, 2.523165],
      [26.329484, 8.237559, 1.616807],
      [24.734103, 8.178197, 0.199513],
      [21.543342, 8.178197, -2.991248],
    ]);
    expect(rows(match(once, scores))).toEqual([
      [29.691397, 8.243378, 4.961262],
      [27.48968, 8.140023, 3.069613],
      [24.353845, 8.031218, 0.260191],
      [18.543285, 8.039226, -5.574394],
    ]);
  });

  it('has the golden vectors of two peers and of a tie', () => {
    expect(rows(match([fresh, fresh], [1, 0])).map(([mu, sigma]) => [mu, sigma])).toEqual([
      [27.256209, 8.166896],
      [22.743791, 8.166896],
    ]);
    expect(rows(match([fresh, fresh, fresh], [1, 1, 0])).map(([mu, sigma]) => [mu, sigma])).toEqual([
      [25.614062, 8.253535],
      [25.614062, 8.253535],
      [23.771875, 8.253535],
    ]);
  });

  it('changes nothing with fewer than two players', () => {
    expect(match([], [])).toEqual([]);
    expect(match([{ mu: 30, sigma: 5 }], [1])).toEqual([{ mu: 30, sigma: 5 }]);
  });

  const rating = fc.record({
    mu: fc.double({ min: -20, max: 80, noNaN: true }),
    sigma: fc.double({ min: 0.5, max: 9, noNaN: true }),
  });
  const game = fc.array(fc.tuple(rating, fc.integer({ min: -3, max: 3 })), { minLength: 2, maxLength: 7 });

  it('permutes with the players, bit for bit', () => {
    fc.assert(
      fc.property(game, fc.nat(), (list, seed) => {
        const players = list.map(([skill, score], i) => ({ id: `p${i}`, rating: skill, score }));
        const rotation = seed % players.length;
        const permuted = [...players.slice(rotation), ...players.slice(0, rotation)].reverse();
        const rate = (who: typeof players): Map<string, SkillRating> => {
          const rated = ratePeers(
            who,
            who.map(({ score }) => score),
            params,
          );
          return new Map(who.map(({ id }, i) => [id, rated[i]!]));
        };
        const first = rate(players);
        for (const [id, skill] of rate(permuted)) expect(skill).toEqual(first.get(id));
      }),
    );
  });

  it('depends on the order of the scores only', () => {
    fc.assert(
      fc.property(game, (list) => {
        const ratings = list.map(([skill]) => skill);
        const values = list.map(([, score]) => score);
        expect(
          match(
            ratings,
            values.map((score) => score * 7 - 100),
          ),
        ).toEqual(match(ratings, values));
      }),
    );
  });

  it('refuses what is not a match', () => {
    expect(() => match([fresh, fresh], [1])).toThrow(RangeError);
    expect(() => match([fresh, fresh], [1, Number.NaN])).toThrow(RangeError);
    const twice = [
      { id: 'a', rating: fresh },
      { id: 'a', rating: fresh },
    ];
    expect(() => ratePeers(twice, [1, 2], params)).toThrow(RangeError);
  });
});

describe('ordinal', () => {
  it('of a fresh peer is 0', () => {
    expect(ordinal(fresh, params)).toBe(0);
  });
});
