import { incentiveWeights } from '../../../core/gauntlet/weights.ts';
import type { Outcome } from '../job.ts';
import { ALL_EVALUATED, mean, round, type Study } from '../study.ts';

const SPLITS = [1, 2, 4] as const;
const POWERS = [1, 2, 3] as const;
const PAGES = 8;
const COMPETITORS = 3;
/** Among peers that are worth the same it is chance who is rated highest. */
const REPEATS = 3;
/** Scores are noisy from window to window. */
const LAST_WINDOWS = 5;

export const sybils: Study = {
  name: 'sybils',
  title: 'One machine as several identities',
  asks: `A machine of ${PAGES} pages a window shares them among k identities, beside ${COMPETITORS} peers of ${PAGES} pages each. Means of ${REPEATS} runs. The paper: with a power above 1 splitting should not pay.`,
  jobs: ({ seed, long }) =>
    SPLITS.flatMap((identities) =>
      Array.from({ length: REPEATS }, (_, repeat) => ({
        kind: 'crowd' as const,
        run: {
          preset: 'micro' as const,
          windows: long ? 60 : 10,
          honest: COMPETITORS + identities,
          attackers: 0,
          pages: PAGES,
          pagesOf: Object.fromEntries(
            Array.from({ length: identities }, (_own, i) => [`honest-${COMPETITORS + i + 1}`, PAGES / identities]),
          ),
          seed: `${seed} split ${repeat}`,
          gauntlet: ALL_EVALUATED,
        },
      })),
    ),
  conclude(outcomes) {
    // Weights have no effect on a run, so one run serves all powers.
    const shareIn = ({ peers, losses }: Outcome, power: number): number =>
      mean(
        Array.from({ length: LAST_WINDOWS }, (_, i) => {
          const window = losses.length - 1 - i;
          const scores = peers.map(({ history }) => history.find((point) => point.window === window)?.peerScore ?? 0);
          return incentiveWeights(scores, power)
            .slice(COMPETITORS)
            .reduce((sum, weight) => sum + weight, 0);
        }),
      );
    const shareOf = (split: number, power: number): number =>
      mean(outcomes.slice(split * REPEATS, (split + 1) * REPEATS).map((outcome) => shareIn(outcome, power)));
    const shares = POWERS.map((power) => SPLITS.map((_, split) => shareOf(split, power)));
    return {
      findings: POWERS.map((power, i) => {
        const [whole, ...split] = shares[i]!;
        const pays = Math.max(...split) > whole!;
        const text = `c = ${power}: one identity gets ${round(100 * whole!, 1)} %, ${SPLITS.slice(1)
          .map((k, j) => `${k} get ${round(100 * split[j]!, 1)} %`)
          .join(', ')}: splitting ${pays ? 'pays' : 'does not pay'}.`;
        return { agrees: power === 1 ? null : !pays, text };
      }),
      plots: [
        {
          title: 'Weight of the machine',
          x: 'identities k',
          y: 'share of all weight',
          series: POWERS.map((power, i) => ({
            label: `c = ${power}`,
            points: SPLITS.map((k, split) => [k, shares[i]![split]!] as const),
          })),
        },
      ],
      tables: [],
    };
  },
};
