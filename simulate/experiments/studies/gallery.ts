import { withoutGauntlet } from '../../../core/gauntlet/profiles/none.ts';
import { ATTACK_NAMES, GALLERY, type AttackName } from '../../attacks/gallery.ts';
import type { Expectation } from '../../attacks/attack.ts';
import type { CrowdRun, Outcome } from '../job.ts';
import { ALL_EVALUATED, historySeries, mean, round, type Plot, type Study, type StudyOptions } from '../study.ts';

const HONEST = 4;
/** Identities of attacks that need more than one. */
const IDENTITIES: Partial<Record<AttackName, number>> = { sybils: 2, 'colluding-minority': 2 };
/** The takeover: the last honest peer leaves, and its uid is free when it has been away for so long. */
const LEAVES_AFTER = 3;
const FREE_AFTER = 3;

function runOf(attack: AttackName, { seed, long }: StudyOptions): CrowdRun {
  const run: CrowdRun = {
    preset: 'micro',
    windows: long ? 40 : 10,
    honest: HONEST,
    attackers: Array.from({ length: IDENTITIES[attack] ?? 1 }, () => attack),
    pages: 4,
    seed: `${seed} gallery`,
    gauntlet: ALL_EVALUATED,
  };
  if (attack !== 'uid-takeover') return run;
  return {
    ...run,
    maxPeers: HONEST,
    leavesAfter: { [`honest-${HONEST}`]: LEAVES_AFTER },
    gauntlet: { ...ALL_EVALUATED, resetAfterWindows: FREE_AFTER },
  };
}

export interface AttackResult {
  readonly attack: AttackName;
  readonly expected: Expectation['weight'];
  /** Of the worst identity that it was caught with least: the largest weight. */
  readonly weight: number;
  readonly poc: number;
  readonly ordinal: number;
  /** Mean of the honest. */
  readonly honestWeight: number;
  readonly lossWith: number;
  readonly lossWithout: number;
  readonly asExpected: boolean;
}

/** Whether an attacker's weight is what is expected, next to the honest peers' mean. */
export function isAsExpected(expected: Expectation['weight'], weight: number, honestWeight: number): boolean {
  switch (expected) {
    case 'none':
      return weight < honestWeight / 10;
    case 'less':
      return weight < 0.75 * honestWeight;
    case 'honest':
      return weight > honestWeight / 4;
    default:
      return expected satisfies never;
  }
}

/** @param guarded of a run under Gauntlet @param bare of the same run without */
export function attackResult(attack: AttackName, guarded: Outcome, bare: Outcome): AttackResult {
  const attackers = guarded.peers.filter(({ kind }) => kind === attack);
  // Of sybils the first one trains: it is the others that have what is not theirs.
  const judged = attack === 'sybils' ? attackers.slice(1) : attackers;
  const [best] = [...judged].sort((a, b) => b.weight - a.weight);
  const honest = guarded.peers.filter(({ kind }) => kind === 'honest');
  const honestWeight = mean(honest.map(({ weight }) => weight));
  const { weight } = GALLERY[attack].expected;
  return {
    attack,
    expected: weight,
    weight: best?.weight ?? 0,
    poc: best?.poc ?? 0,
    ordinal: best?.ordinal ?? 0,
    honestWeight,
    lossWith: guarded.losses.at(-1)!,
    lossWithout: bare.losses.at(-1)!,
    asExpected: isAsExpected(weight, best?.weight ?? 0, honestWeight),
  };
}

function weightPlot(attack: AttackName, { peers }: Outcome): Plot {
  return {
    title: GALLERY[attack].title,
    x: 'window',
    y: 'weight',
    series: peers
      .filter(({ kind, name }) => kind === attack || name === 'honest-1' || name === 'honest-2')
      .map((peer) =>
        historySeries(
          peer,
          ({ weight }) => weight,
          peer.kind === 'honest' ? peer.name : `attacker ${peer.name.split('-').at(-1)!}`,
        ),
      ),
  };
}

export const gallery: Study = {
  name: 'gallery',
  title: 'Every attack, with Gauntlet and without',
  asks: `Each attack beside ${HONEST} honest peers: its figures under Gauntlet, and the model’s loss with Gauntlet and without.`,
  jobs: (options) =>
    ATTACK_NAMES.flatMap((attack) => {
      const run = runOf(attack, options);
      return [
        { kind: 'crowd' as const, run },
        { kind: 'crowd' as const, run: { ...run, gauntlet: withoutGauntlet(run.gauntlet ?? ALL_EVALUATED) } },
      ];
    }),
  conclude(outcomes) {
    const results = ATTACK_NAMES.map((attack, i) => attackResult(attack, outcomes[2 * i]!, outcomes[2 * i + 1]!));
    const expected = results.filter(({ asExpected }) => asExpected);
    const others = results.filter(({ asExpected }) => !asExpected);
    const better = results.filter(({ lossWith, lossWithout }) => lossWith <= lossWithout);
    return {
      findings: [
        {
          agrees: others.length === 0,
          text: `${expected.length} of ${results.length} attacks end with the weight that is expected${others.length === 0 ? '.' : `; not ${others.map(({ attack }) => attack).join(', ')}.`}`,
        },
        {
          agrees: null,
          text: `Beside ${better.length} of ${results.length} attacks the model ends at no higher a loss with Gauntlet than without; the largest differences are ${[
            ...results,
          ]
            .sort((a, b) => b.lossWithout - b.lossWith - (a.lossWithout - a.lossWith))
            .slice(0, 3)
            .map(({ attack, lossWith, lossWithout }) => `${attack} ${round(lossWithout - lossWith)}`)
            .join(', ')}.`,
        },
      ],
      plots: ATTACK_NAMES.map((attack, i) => weightPlot(attack, outcomes[2 * i]!)),
      tables: [
        {
          title: 'Attacks',
          columns: [
            'attack',
            'expected weight',
            'weight',
            'honest weight',
            'μ',
            'ordinal',
            'loss with',
            'loss without',
            'as expected',
          ],
          rows: results.map((r) => [
            r.attack,
            r.expected,
            round(r.weight),
            round(r.honestWeight),
            round(r.poc),
            round(r.ordinal, 1),
            round(r.lossWith),
            round(r.lossWithout),
            r.asExpected ? 'yes' : 'no',
          ]),
        },
      ],
    };
  },
};
