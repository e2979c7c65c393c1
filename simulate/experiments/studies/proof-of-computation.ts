import { ALL_EVALUATED, historySeries, round, type Study } from '../study.ts';

export const proofOfComputation: Study = {
  name: 'proof-of-computation',
  title: 'Assigned against random data',
  asks: 'μ averages whether a contribution helps more on its own assigned pages than on random ones. The paper: it rises for those who train what they are assigned, and stays near 0 for copiers.',
  jobs: ({ seed, long }) => [
    {
      kind: 'crowd',
      run: {
        preset: 'micro',
        windows: long ? 60 : 20,
        honest: 3,
        attackers: ['copy-verbatim', 'copy-perturbed', 'own-easy-data'],
        pages: 4,
        seed: `${seed} poc`,
        gauntlet: ALL_EVALUATED,
      },
    },
  ],
  conclude([outcome]) {
    const { peers } = outcome!;
    const honest = peers.filter(({ kind }) => kind === 'honest');
    const others = peers.filter(({ kind }) => kind !== 'honest');
    const least = Math.min(...honest.map(({ poc }) => poc));
    const most = Math.max(...others.map(({ poc }) => poc));
    const share = (of: typeof peers): number => of.reduce((sum, { weight }) => sum + weight, 0);
    return {
      findings: [
        {
          agrees: least > most,
          text: `After ${outcome!.losses.length - 1} windows the honest have μ of at least ${round(least, 2)}, the others of at most ${round(most, 2)}.`,
        },
        {
          agrees: share(honest) > 0.9,
          text: `The honest have ${round(100 * share(honest), 1)} % of the weight, the others ${round(100 * share(others), 1)} %.`,
        },
      ],
      plots: [
        {
          title: 'Proof of computation',
          x: 'window',
          y: 'μ',
          series: peers.map((p) => historySeries(p, ({ poc }) => poc)),
        },
      ],
      tables: [
        {
          title: 'At the end',
          columns: ['peer', 'μ', 'ordinal', 'weight'],
          rows: peers.map(({ name, poc, ordinal, weight }) => [name, round(poc), round(ordinal, 1), round(weight)]),
        },
      ],
    };
  },
};
