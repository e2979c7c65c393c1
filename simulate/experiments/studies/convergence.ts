import { PRESETS } from '../../../core/model/presets.ts';
import { ALL_EVALUATED, lossSeries, round, type Study } from '../study.ts';

const PEERS = 4;
const PAGES = 4;
const RATES = [2e-3, 8e-3] as const;
const STEPS = [1, 4] as const;
const CONTENDERS = STEPS.flatMap((steps) => RATES.map((rate) => ({ steps, rate })));

export const convergence: Study = {
  name: 'convergence',
  title: 'Loss per round against AdamW on one machine',
  asks: `${PEERS} honest peers of ${PAGES} pages a round, against one machine that trains as many tokens a round with AdamW. The paper reports no cost in convergence per round.`,
  jobs({ seed: base, long }) {
    const seed = `${base} convergence`;
    const windows = long ? 100 : 20;
    const crowd = {
      preset: 'micro',
      windows,
      honest: PEERS,
      attackers: 0,
      pages: PAGES,
      seed,
      gauntlet: ALL_EVALUATED,
    } as const;
    return [
      ...Object.values(PRESETS.micro.schemes).map((scheme) => ({ kind: 'crowd' as const, run: { ...crowd, scheme } })),
      ...CONTENDERS.map(({ steps, rate }) => ({
        kind: 'adamw' as const,
        run: {
          preset: 'micro' as const,
          seed,
          rounds: windows,
          pagesPerRound: PEERS * PAGES,
          stepsPerRound: steps,
          learningRate: rate,
        },
      })),
    ];
  },
  conclude(outcomes) {
    const schemes = Object.keys(PRESETS.micro.schemes);
    const final = outcomes.map(({ losses }) => losses.at(-1)!);
    const crowds = schemes.map((name, i) => ({ label: name, outcome: outcomes[i]!, loss: final[i]! }));
    const best = STEPS.map((steps) => {
      const [first] = CONTENDERS.map((contender, i) => ({ ...contender, at: schemes.length + i }))
        .filter((contender) => contender.steps === steps)
        .sort((a, b) => final[a.at]! - final[b.at]!);
      const label = `AdamW, ${steps} ${steps === 1 ? 'step' : 'steps'} a round`;
      return { label, rate: first!.rate, outcome: outcomes[first!.at]!, loss: final[first!.at]! };
    });
    const rounds = outcomes[0]!.losses.length - 1;
    return {
      findings: crowds.flatMap(({ label, loss }) =>
        best.map((baseline) => ({
          agrees: loss <= baseline.loss,
          text: `After ${rounds} rounds ${label} is at ${round(loss)}, ${baseline.label} (η ${baseline.rate}, the better of ${RATES.join(' and ')}) at ${round(baseline.loss)}: ${loss <= baseline.loss ? 'no cost in convergence per round' : `a cost of ${round(loss - baseline.loss)} nats a token`}.`,
        })),
      ),
      plots: [
        {
          title: 'Held-out loss',
          x: 'round',
          y: 'nats a token',
          series: [...crowds, ...best].map(({ label, outcome }) => lossSeries(label, outcome)),
        },
      ],
      tables: [],
    };
  },
};
