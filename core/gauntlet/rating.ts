/**
 * The loss rating: one Plackett-Luce match a window among the peers whose contributions were scored (Gauntlet, arXiv
 * 2505.21684; Weng and Lin 2011; reference: templar validator.py with openskill).
 */
import { rate } from 'openskill';
import { plackettLuce } from 'openskill/models';
import type { GauntletParameters } from '../protocol/manifest.ts';

export interface SkillRating {
  readonly mu: number;
  readonly sigma: number;
}

export interface Player {
  readonly id: string;
  readonly rating: SkillRating;
}

type RatingParameters = GauntletParameters['rating'];

/**
 * The players' ratings after a match; with fewer than two players there is none and nothing changes. Only the order of
 * the scores counts. Peers that delivered nothing valid play with the manifest's `missingScore`.
 *
 * @param players distinct ids; their order does not matter, not even in the last bit
 * @param scores LossScore on random data of each player, higher is better, equal ones tie
 * @returns ratings in the order of `players`
 * @throws RangeError when the numbers differ, an id repeats or a score is not a number
 */
export function ratePeers(
  players: readonly Player[],
  scores: readonly number[],
  params: RatingParameters,
): SkillRating[] {
  if (players.length !== scores.length) throw new RangeError(`${players.length} players with ${scores.length} scores`);
  if (scores.some(Number.isNaN)) throw new RangeError('a score is not a number');
  if (new Set(players.map(({ id }) => id)).size !== players.length) throw new RangeError('a player plays twice');
  if (players.length < 2) return players.map(({ rating }) => rating);
  const order = players.map((_, i) => i).sort((a, b) => (players[a]!.id < players[b]!.id ? -1 : 1));
  const rated = rate(
    order.map((i) => [players[i]!.rating]),
    { model: plackettLuce, beta: params.beta, tau: params.tau, score: order.map((i) => scores[i]!) },
  );
  const ratings: SkillRating[] = new Array<SkillRating>(players.length);
  rated.forEach(([rating], place) => {
    ratings[order[place]!] = { mu: rating!.mu, sigma: rating!.sigma };
  });
  return ratings;
}

/** The rating that a peer starts with. */
export function freshRating(params: RatingParameters): SkillRating {
  return { mu: params.mu, sigma: params.sigma };
}

/** mu - z·sigma: a skill that the peer has almost certainly. */
export function ordinal(rating: SkillRating, params: Pick<RatingParameters, 'z'>): number {
  return rating.mu - params.z * rating.sigma;
}
