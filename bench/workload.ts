/** The models that are measured, and the parameters and batch that every contender gets: the same in every process. */
import { nextTokenBatch, type Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { initialParameters } from '../core/model/initialise.ts';
import { PRESETS, type PresetName } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { DecoupledMomentumParameters } from '../core/protocol/manifest.ts';

export interface Workload {
  readonly name: string;
  readonly config: ModelConfig;
  /** Of a step, unless told otherwise. */
  readonly sequences: number;
  readonly length: number;
  readonly scheme: DecoupledMomentumParameters;
}

/** Next to nothing to compute: what remains is what a step costs a library's own code. */
const OVERHEAD: Workload = {
  name: 'overhead',
  config: {
    ...PRESETS.micro.model,
    vocabSize: 32,
    hiddenSize: 16,
    intermediateSize: 16,
    numLayers: 4,
    numHeads: 2,
    numKvHeads: 1,
    headDim: 8,
    contextLength: 8,
  },
  sequences: 1,
  length: 8,
  scheme: PRESETS.micro.schemes['decoupled-momentum'],
};

export const WORKLOAD_NAMES = ['overhead', 'micro', 'nano', 'mini', 'small', 'base'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export function workload(name: WorkloadName): Workload {
  if (name === 'overhead') return OVERHEAD;
  const { model, data, schemes } = PRESETS[name satisfies PresetName];
  const scheme = schemes['decoupled-momentum'];
  return { name, config: model, sequences: data.pageSequences, length: model.contextLength, scheme };
}

export function workloadParameters({ config }: Workload): Float32Array<ArrayBuffer> {
  return initialParameters(config, seedFrom('bench'));
}

export function workloadBatch({ config, length }: Workload, sequences: number): Batch {
  const random = createRandom(seedFrom('bench batch', sequences, length));
  const ids = Int32Array.from({ length: sequences * length }, () => random.below(config.vocabSize));
  return nextTokenBatch(ids, sequences, length);
}
