import { parameterLayout } from '../../../core/model/layout.ts';
import { PRESETS } from '../../../core/model/presets.ts';
import type { SchemeParameters } from '../../../core/protocol/manifest.ts';
import { createScheme } from '../../../core/scheme/create-scheme.ts';
import { ALL_EVALUATED, lossSeries, round, type Study } from '../study.ts';

const LAYOUT = parameterLayout(PRESETS.micro.model);
const bytesOf = (scheme: SchemeParameters): number => createScheme(scheme, LAYOUT).bodyBytes;

const { 'decoupled-momentum': MOMENTUM, sparseloco } = PRESETS.micro.schemes;
const BUDGET = bytesOf(MOMENTUM);

/** SparseLoCo with as many values a chunk as the other scheme's bytes pay for. */
function atEqualBytes(): SchemeParameters {
  let fitting: SchemeParameters = { ...sparseloco, topK: 1 };
  for (let topK = 2; topK <= 512; topK++) {
    const candidate = { ...sparseloco, topK };
    if (bytesOf(candidate) <= BUDGET) fitting = candidate;
  }
  return fitting;
}

const LOCAL = atEqualBytes();

export const schemes: Study = {
  name: 'schemes',
  title: 'Decoupled momentum against SparseLoCo at equal bytes',
  asks: 'Three honest peers, the same data, messages of the same size. The SparseLoCo paper reports a lower loss than DeMo’s.',
  jobs: ({ seed, long }) =>
    [MOMENTUM, LOCAL].map((scheme) => ({
      kind: 'crowd',
      run: {
        preset: 'micro',
        windows: long ? 150 : 20,
        honest: 3,
        attackers: 0,
        pages: 12,
        seed: `${seed} schemes`,
        scheme,
        gauntlet: ALL_EVALUATED,
      },
    })),
  conclude(outcomes) {
    const [momentum, local] = outcomes.map(({ losses }) => losses.at(-1)!);
    return {
      findings: [
        {
          agrees: local! < momentum!,
          text: `After ${outcomes[0]!.losses.length - 1} windows decoupled momentum is at ${round(momentum!)} nats a token with messages of ${BUDGET} bytes, SparseLoCo (${LOCAL.topK} values a chunk) at ${round(local!)} with ${bytesOf(LOCAL)} bytes.`,
        },
      ],
      plots: [
        {
          title: 'Held-out loss',
          x: 'window',
          y: 'nats a token',
          series: [lossSeries('decoupled momentum', outcomes[0]!), lossSeries('SparseLoCo', outcomes[1]!)],
        },
      ],
      tables: [],
    };
  },
};
