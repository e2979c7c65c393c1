import { ALL_EVALUATED, historySeries, named, round, type Study } from '../study.ts';

const LABELS = { 'honest-1': 'more data', 'honest-2': 'baseline', 'stale-model-1': 'desynchronised' } as const;
const NAMES = Object.keys(LABELS) as (keyof typeof LABELS)[];

export const threePeers: Study = {
  name: 'three-peers',
  title: 'Three peers: raw LossScore against rating',
  asks: 'One peer trains four times the data, one the baseline, one a model that it never updates. The paper’s figure: the order of the raw LossScores jitters from window to window, the rating separates the three.',
  jobs: ({ seed, long }) => [
    {
      kind: 'crowd',
      run: {
        preset: 'micro',
        windows: long ? 60 : 20,
        honest: 2,
        attackers: ['stale-model'],
        pages: 3,
        pagesOf: { 'honest-1': 12 },
        seed: `${seed} three`,
        gauntlet: ALL_EVALUATED,
      },
    },
  ],
  conclude([outcome]) {
    const peers = NAMES.map((name) => named(outcome!, name));
    const windows = peers[0]!.history.map(({ window }) => window);
    const ordered = (figure: (peer: (typeof peers)[number], at: number) => number | undefined): number[] =>
      windows.filter((_, at) => {
        const [more, base, desynced] = peers.map((peer) => figure(peer, at) ?? -Infinity);
        return more! > base! && base! > desynced!;
      });
    const byScore = ordered((peer, at) => peer.history[at]?.lossScore?.random);
    const byRating = ordered((peer, at) => peer.history[at]?.rating.ordinal);
    const settled = windows.find((window) => windows.every((later) => later < window || byRating.includes(later)));
    const jitters = byScore.length < windows.length;
    return {
      findings: [
        {
          agrees: jitters,
          text: `In ${byScore.length} of ${windows.length} windows the raw LossScores are in the order more data > baseline > desynchronised: they ${jitters ? 'jitter' : 'do not jitter'}.`,
        },
        {
          agrees: settled !== undefined,
          text:
            settled === undefined
              ? `The ratings are in that order in ${byRating.length} of ${windows.length} windows, but not for good at the end: final ordinals ${peers.map(({ ordinal }) => round(ordinal, 1)).join(', ')}.`
              : `The ratings are in that order for good from window ${settled} on; final ordinals ${peers.map(({ ordinal }) => round(ordinal, 1)).join(', ')}.`,
        },
      ],
      plots: [
        {
          title: 'LossScore on random pages',
          x: 'window',
          y: 'nats a token gained',
          series: peers.map((peer, i) => historySeries(peer, (p) => p.lossScore?.random ?? null, LABELS[NAMES[i]!])),
        },
        {
          title: 'Rating',
          x: 'window',
          y: 'ordinal',
          series: peers.map((peer, i) => historySeries(peer, (p) => p.rating.ordinal, LABELS[NAMES[i]!])),
        },
      ],
      tables: [],
    };
  },
};
