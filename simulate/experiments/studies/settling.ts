import { freshRating, ordinal, ratePeers, type SkillRating } from '../../../core/gauntlet/rating.ts';
import { createRandom, seedFrom } from '../../../core/numerics/prng.ts';
import { REFERENCE_GAUNTLET } from '../../../core/model/presets.ts';
import { ALL_EVALUATED, mean, round, type Study } from '../study.ts';

const PAGES = [1, 4, 16] as const;
const BETAS = [1, 25 / 6, 7, 20] as const;
const DRAWN = 2;
const REPEATS = 40;
const MATCHES = 300;
/** As long the order must have held, and it holds until the end of these. */
const STEADY = 20;

/** LossScores of all peers in one window, in the order of their strength. */
type Scores = readonly number[];

/**
 * Evaluations a peer until the ratings are in the order of strength and stay there for a while. Windows are drawn from
 * those that were measured, with repetition, and of each a few peers.
 */
function evaluationsUntilSettled(measured: readonly Scores[], beta: number, seed: Uint8Array): number {
  const random = createRandom(seed);
  const params = { ...REFERENCE_GAUNTLET.rating, beta };
  const ratings: SkillRating[] = PAGES.map(() => freshRating(params));
  let since: number | undefined;
  for (let match = 1; match <= MATCHES; match++) {
    const scores = measured[random.below(measured.length)]!;
    const drawn = random.sample(PAGES.length, DRAWN);
    const rated = ratePeers(
      drawn.map((peer) => ({ id: String(peer), rating: ratings[peer]! })),
      drawn.map((peer) => scores[peer]!),
      params,
    );
    drawn.forEach((peer, i) => (ratings[peer] = rated[i]!));
    const inOrder = ratings.every((own, i) => i === 0 || ordinal(own, params) > ordinal(ratings[i - 1]!, params));
    since = inOrder ? (since ?? match) : undefined;
    if (since !== undefined && match - since >= STEADY) return (since * DRAWN) / PAGES.length;
  }
  return (MATCHES * DRAWN) / PAGES.length;
}

export const settling: Study = {
  name: 'settling',
  title: 'Evaluations until ranks settle, against β',
  asks: `Peers of ${PAGES.join(', ')} pages. The LossScores of a run in which everybody is evaluated are played again, ${DRAWN} drawn peers a match, with several β of the rating. templar went from β 20 to 7 because ratings moved too slowly, and its operators speak of about 40 evaluations to settle.`,
  jobs: ({ seed, long }) => [
    {
      kind: 'crowd',
      run: {
        preset: 'micro',
        windows: long ? 80 : 20,
        honest: PAGES.length,
        attackers: 0,
        pages: 1,
        pagesOf: Object.fromEntries(PAGES.map((pages, i) => [`honest-${i + 1}`, pages])),
        seed: `${seed} settling`,
        gauntlet: ALL_EVALUATED,
      },
    },
  ],
  conclude([outcome], { seed }) {
    const byWindow = new Map<number, number[]>();
    outcome!.peers.forEach(({ history }, peer) => {
      for (const { window, lossScore } of history) {
        if (!lossScore) continue;
        const scores = byWindow.get(window) ?? [];
        scores[peer] = lossScore.random;
        byWindow.set(window, scores);
      }
    });
    const found = [...byWindow.values()].filter((scores) => Object.keys(scores).length === PAGES.length);
    // Who is how strong is what the mean LossScore says.
    const strength = PAGES.map((_, peer) => mean(found.map((scores) => scores[peer]!)));
    const order = PAGES.map((_, peer) => peer).sort((a, b) => strength[a]! - strength[b]!);
    const measured = found.map((scores) => order.map((peer) => scores[peer]!));
    const needed = BETAS.map((beta) =>
      mean(
        Array.from({ length: REPEATS }, (_, i) =>
          evaluationsUntilSettled(measured, beta, seedFrom('settling', seed, i)),
        ),
      ),
    );
    const at = (beta: number): number => needed[BETAS.findIndex((other) => other === beta)]!;
    const byData = order.every((peer, place) => peer === place);
    return {
      findings: [
        {
          agrees: at(7) < at(20),
          text: `With β 7 ranks settle after ${round(at(7), 0)} evaluations a peer, with β 20 after ${round(at(20), 0)} (means of ${REPEATS} repetitions, at most ${(MATCHES * DRAWN) / PAGES.length}).`,
        },
        {
          agrees: byData,
          text: `Mean LossScores by pages trained (${PAGES.join(', ')}): ${strength.map((value) => round(value, 4)).join(', ')} – more data ${byData ? 'always gives' : 'does not always give'} a higher one.`,
        },
      ],
      plots: [
        {
          title: 'Until ranks settle',
          x: 'β',
          y: 'evaluations a peer',
          series: [{ label: 'mean', points: BETAS.map((beta, i) => [beta, needed[i]!] as const) }],
        },
      ],
      tables: [],
    };
  },
};
