/** How a contender is timed: the same way for all of them, wherever it runs. */
import type { Contender, ProductShape, RunProducts, TrainingOptions } from './contender.ts';
import type { DecoupledMomentumParameters } from '../core/protocol/manifest.ts';
import { compare, type Expectation } from './expectation.ts';
import type { GpuMeter } from './gpu-meter.ts';
import type { BenchPrecision, MeasuredRow, Spread } from './report.ts';

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return { median: median(values), low: at(0.25), high: at(0.75) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

export type TrainingFigures =
  | Pick<
      MeasuredRow,
      | 'loss'
      | 'lossError'
      | 'gradientError'
      | 'stepMs'
      | 'pipelinedMs'
      | 'nodes'
      | 'dispatches'
      | 'startMs'
      | 'peakGpuBytes'
      | 'compressMs'
      | 'applyMs'
    >
  /** Another step than the expected one: no times. */
  | (Pick<MeasuredRow, 'lossError' | 'gradientError' | 'loss'> & { readonly stepMs: null });

/**
 * @param steps timed one by one, and again queued
 * @param rounds of queued steps
 */
export async function measureTraining(
  create: () => Promise<Contender>,
  options: TrainingOptions,
  scheme: DecoupledMomentumParameters,
  { steps, rounds, expected, meter }: { steps: number; rounds: number; expected: Expectation; meter: GpuMeter },
): Promise<TrainingFigures> {
  const begun = performance.now();
  const training = await (await create()).train(options);
  const loss = await training.steps(1);
  const startMs = performance.now() - begun;
  const { lossError, gradientError, agrees } = compare(
    expected,
    loss,
    await training.takeGradient(),
    options.precision,
  );
  if (!agrees) return { loss, lossError, gradientError, stepMs: null };

  // Shaders compile on their first use, and pools grow: the second step may still be an odd one.
  await training.steps(1);
  const before = meter.dispatches;
  await training.steps(1);
  const dispatches = meter.dispatches - before;
  const single: number[] = [];
  for (let step = 0; step < steps; step++) single.push(await timed(() => training.steps(1)));
  const queued: number[] = [];
  for (let round = 0; round < rounds; round++) queued.push((await timed(() => training.steps(steps))) / steps);
  const peakGpuBytes = meter.peakBytes;
  const window = await training.window?.(scheme);
  return {
    loss,
    lossError,
    gradientError,
    stepMs: spreadOf(single),
    pipelinedMs: spreadOf(queued),
    nodes: training.nodes,
    dispatches,
    startMs,
    peakGpuBytes,
    compressMs: window?.compressMs ?? null,
    applyMs: window?.applyMs ?? null,
  };
}

/** So long is measured at least, that the wait at the end does not count for much. */
const LEAST_PRODUCT_MS = 300;

/** FLOP/s of a matrix product. */
export async function measureProduct(
  contender: Contender,
  shape: ProductShape,
  precision: BenchPrecision,
): Promise<number> {
  const run: RunProducts = await contender.matmul(shape, precision);
  await run(1);
  let count = 1;
  let ms = await timed(() => run(count));
  while (ms < LEAST_PRODUCT_MS) {
    count = Math.min(8 * count, Math.ceil((1.5 * count * LEAST_PRODUCT_MS) / ms));
    ms = await timed(() => run(count));
  }
  const again = await timed(() => run(count));
  return (2 * shape.m * shape.k * shape.n * count) / (Math.min(ms, again) / 1_000);
}
