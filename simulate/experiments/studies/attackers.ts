import { withoutGauntlet } from '../../../core/gauntlet/profiles/none.ts';
import type { AttackName } from '../../attacks/gallery.ts';
import { ALL_EVALUATED, lossSeries, round, type Study, type StudyOptions } from '../study.ts';

const HONEST = 4;
const KINDS: readonly AttackName[] = ['sign-flip', 'noise'];

const counts = ({ long }: StudyOptions): readonly number[] => (long ? [0, 1, 2, 3, 4] : [0, 1, 2, 4]);
const percent = (attackers: number): number => Math.round((100 * attackers) / (HONEST + attackers));

export const attackers: Study = {
  name: 'attackers',
  title: 'A share of attackers, with Gauntlet and without',
  asks: 'Sign flips and noise in turn beside four honest peers, up to half of all. The paper claims that Gauntlet keeps harmful contributions out of the model; normalisation and signs alone only bound what each can do.',
  jobs: (options) =>
    counts(options).flatMap((count) =>
      [ALL_EVALUATED, withoutGauntlet(ALL_EVALUATED)].map((gauntlet) => ({
        kind: 'crowd' as const,
        run: {
          preset: 'micro' as const,
          windows: options.long ? 60 : 14,
          honest: HONEST,
          attackers: Array.from({ length: count }, (_, i) => KINDS[i % KINDS.length]!),
          pages: 4,
          seed: `${options.seed} attackers`,
          gauntlet,
        },
      })),
    ),
  conclude(outcomes, options) {
    const all = counts(options).map((count, i) => ({
      count,
      guarded: outcomes[2 * i]!,
      bare: outcomes[2 * i + 1]!,
    }));
    const clean = all[0]!;
    const worst = all.at(-1)!;
    const final = ({ losses }: (typeof outcomes)[number]): number => losses.at(-1)!;
    const lostWith = final(worst.guarded) - final(clean.guarded);
    const lostWithout = final(worst.bare) - final(clean.bare);
    return {
      findings: [
        {
          agrees: lostWith < lostWithout / 2,
          text: `With ${percent(worst.count)} % attackers the model ends ${round(lostWith)} nats a token above the one without attackers under Gauntlet, and ${round(lostWithout)} without Gauntlet.`,
        },
      ],
      plots: [
        {
          title: 'Held-out loss at the end',
          x: 'attackers, % of all peers',
          y: 'nats a token',
          series: [
            {
              label: 'with Gauntlet',
              points: all.map(({ count, guarded }) => [percent(count), final(guarded)] as const),
            },
            { label: 'without', points: all.map(({ count, bare }) => [percent(count), final(bare)] as const) },
          ],
        },
        {
          title: 'Held-out loss over windows',
          x: 'window',
          y: 'nats a token',
          series: [
            lossSeries('no attackers', clean.guarded),
            lossSeries(`${percent(worst.count)} %, with`, worst.guarded),
            lossSeries(`${percent(worst.count)} %, without`, worst.bare),
          ],
        },
      ],
      tables: [],
    };
  },
};
