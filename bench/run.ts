/** One run: adapter, products, then each contender on each model, one after another in processes or workers of their own. */
import { parameterLayout } from '../core/model/layout.ts';
import type { ProductShape } from './contender.ts';
import type { Expectation } from './expectation.ts';
import { trainingFlops } from './flops.ts';
import type { RunJob } from './job.ts';
import type { TrainingFigures } from './measure.ts';
import {
  benchReport,
  type AdapterReport,
  type BenchPrecision,
  type BenchReport,
  type ContenderName,
  type ProductRow,
  type Row,
} from './report.ts';
import { workload, type WorkloadName } from './workload.ts';

export interface BenchOptions {
  readonly workloads: readonly WorkloadName[];
  readonly contenders: readonly ContenderName[];
  /** Timed steps; by default what suits the adapter. */
  readonly steps: number | undefined;
  /** Sequences a step; by default what suits the adapter. */
  readonly sequences: number | undefined;
  readonly quick: boolean;
}

export interface BenchPlace extends Pick<BenchReport, 'command' | 'commit' | 'runner' | 'machine'> {
  readonly runJob: RunJob;
  /** What a step must give. */
  readonly expect: (workload: WorkloadName, sequences: number) => Promise<Expectation>;
}

/** A software adapter takes a second where a GPU takes a millisecond. */
export const SOFTWARE_SEQUENCES: Record<WorkloadName, number> = {
  overhead: 1,
  micro: 2,
  nano: 1,
  mini: 1,
  small: 1,
  base: 1,
};

const cube = (n: number): ProductShape => ({ m: n, k: n, n });
const PRODUCTS = [1024, 2048, 4096].map(cube);
const SOFTWARE_PRODUCTS = [256, 512].map(cube);

/** Computes on the processor: shown beside the others, with nothing of the adapter's. */
export const OFF_ADAPTER: ContenderName = 'onnxruntime-wasm';

/** In which other contenders have anything to compare with. */
const HALF_PRODUCTS: ReadonlySet<ContenderName> = new Set(['own', 'jax-js']);

function precisionsOf(contender: ContenderName, { features }: AdapterReport, among: ReadonlySet<ContenderName>) {
  const half = features.includes('shader-f16') && among.has(contender);
  return (half ? ['fp32', 'fp16'] : ['fp32']) as readonly BenchPrecision[];
}

async function measureProducts(
  adapter: AdapterReport,
  { contenders }: BenchOptions,
  runJob: RunJob,
): Promise<ProductRow[]> {
  const rows: ProductRow[] = [];
  for (const shape of adapter.software ? SOFTWARE_PRODUCTS : PRODUCTS) {
    for (const contender of contenders.filter((name) => name !== OFF_ADAPTER)) {
      for (const precision of precisionsOf(contender, adapter, HALF_PRODUCTS)) {
        const result = await runJob({ kind: 'product', contender, precision, shape });
        const label = `product of ${shape.m}, ${contender}, ${precision}`;
        if (result.ok) {
          rows.push({ contender, precision, ...shape, flops: result.value });
          console.error(`${label}: ${(result.value / 1e9).toFixed(1)} GFLOP/s`);
        } else console.error(`${label}: ${result.reason}`);
      }
    }
  }
  return rows;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** A row from what was measured; a disagreeing one is void. @param bestProduct FLOP/s, 0 when none was measured */
export function rowOf(
  figures: TrainingFigures,
  identity: Pick<Row, 'workload' | 'contender' | 'precision' | 'sequences' | 'length' | 'parameters'>,
  flopsPerStep: number,
  bestProduct: number,
): Row {
  if (figures.stepMs === null) {
    const { loss, lossError, gradientError } = figures;
    return {
      ...identity,
      status: 'void',
      loss: finite(loss),
      lossError: finite(lossError),
      gradientError: finite(gradientError),
    };
  }
  const seconds = Math.min(figures.stepMs.median, figures.pipelinedMs.median) / 1_000;
  const achievedFlops = flopsPerStep / seconds;
  return {
    ...identity,
    status: 'measured',
    ...figures,
    tokensPerSecond: (identity.sequences * identity.length) / seconds,
    flopsPerStep,
    achievedFlops,
    shareOfMatmul: bestProduct > 0 ? achievedFlops / bestProduct : null,
  };
}

/** @throws Error when there is no adapter */
export async function runBench(options: BenchOptions, place: BenchPlace): Promise<BenchReport> {
  const { runJob, expect, ...about } = place;
  const described = await runJob({ kind: 'adapter' });
  if (!described.ok) throw new Error(described.reason);
  const adapter = described.value;
  const products = await measureProducts(adapter, options, runJob);
  const steps = options.steps ?? (adapter.software ? (options.quick ? 1 : 3) : options.quick ? 5 : 20);
  const rounds = adapter.software ? 1 : 3;
  const rows: Row[] = [];
  for (const name of options.workloads) {
    const work = workload(name);
    const { config, length } = work;
    const sequences = options.sequences ?? (adapter.software ? SOFTWARE_SEQUENCES[name] : work.sequences);
    const expected = await expect(name, sequences);
    for (const contender of options.contenders) {
      for (const precision of precisionsOf(contender, adapter, new Set(['own']))) {
        const identity = {
          workload: name,
          contender,
          precision,
          sequences,
          length,
          parameters: parameterLayout(config).total,
        };
        const result = await runJob({
          kind: 'training',
          contender,
          workload: name,
          precision,
          sequences,
          steps,
          rounds,
          expected,
        });
        const comparable = products.filter((row) => row.precision === precision && contender !== OFF_ADAPTER);
        const best = Math.max(0, ...comparable.map(({ flops }) => flops));
        const row: Row = result.ok
          ? rowOf(result.value, identity, trainingFlops(config, sequences, length), best)
          : { ...identity, status: 'failed', reason: result.reason };
        rows.push(row);
        const outcome = row.status === 'measured' ? `${row.stepMs.median.toFixed(1)} ms a step` : row.status;
        console.error(`${name}, ${contender}, ${precision}: ${outcome}`);
      }
    }
  }
  return benchReport.parse({ version: 1, date: new Date().toISOString(), ...about, adapter, products, rows });
}
