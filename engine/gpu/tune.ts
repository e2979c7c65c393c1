/**
 * Which tile each of a model's products is quickest with on this device. Nothing that a browser tells of an adapter says
 * that, so it is measured, once, before training. All tiles sum in the same order: the choice changes no bit.
 */
import { GraphBuilder, type Value } from '../graph/ir.ts';
import type { GpuContext } from './context.ts';
import { planGraph, type Plan } from './plan.ts';
import type { GemmTiles, Tile } from './kernel.ts';
import { gemmKey, TILES } from './kernels/gemm.ts';
import { createProgram } from './program.ts';

const MOST_RUNS = 64;

export interface TuningEffort {
  /** Work of one measurement: long beside what starting it takes, even on a large GPU. */
  readonly measuredFlops: number;
  /** Of products so small that a wrong tile costs nothing that anyone would notice. */
  readonly ignoredFlops: number;
}

const USUAL_EFFORT: TuningEffort = { measuredFlops: 2e10, ignoredFlops: 2e7 };

/** @param plan of the model as it would run untuned */
export async function tuneGemms(
  context: GpuContext,
  plan: Plan,
  half: boolean,
  effort = USUAL_EFFORT,
): Promise<GemmTiles> {
  const products = new Map<string, Value>();
  for (const { bindings } of plan.kernels) {
    for (const { value, write } of bindings) {
      if (write && value.operator.kind === 'Gemm') products.set(gemmKey(value), value);
    }
  }
  const tiles = new Map<string, Tile>();
  for (const [key, product] of products) {
    if (flopsOf(product) < effort.ignoredFlops) continue;
    let best = Infinity;
    for (const tile of TILES) {
      const ms = await measure(context, product, half, new Map([[key, tile]]), effort);
      if (ms >= best) continue;
      best = ms;
      tiles.set(key, tile);
    }
  }
  return tiles;
}

function flopsOf({ shape, inputs, operator }: Value): number {
  const depth = inputs[0]!.shape[operator.kind === 'Gemm' && operator.transA ? 0 : 1]!;
  return 2 * shape[0]! * shape[1]! * depth;
}

/** Milliseconds of one run of the product alone. */
async function measure(
  context: GpuContext,
  product: Value,
  half: boolean,
  gemmTiles: GemmTiles,
  { measuredFlops }: TuningEffort,
): Promise<number> {
  const { device, buffers } = context;
  const { operator, inputs } = product;
  if (operator.kind !== 'Gemm') throw new Error('not a Gemm');
  const g = new GraphBuilder();
  const [a, b] = inputs.slice(0, 2).map(({ shape }, i) => g.input(`factor ${i}`, shape)) as [Value, Value];
  const plan = planGraph(
    { product: g.gemm(a, b, operator) },
    {
      donated: new Set(),
      workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
      half,
      halfInputs: new Set(half ? ['factor 0', 'factor 1'] : []),
      gemmTiles,
    },
  );
  const given = new Map(plan.inputs.map((value) => [value, buffers.make(plan.bytesOf(value), GPUBufferUsage.STORAGE)]));
  const program = await createProgram(context, plan, given);
  try {
    // The first is slower: the driver finishes the kernel when it is first needed.
    program.run();
    await device.queue.onSubmittedWorkDone();
    const runs = Math.max(1, Math.min(MOST_RUNS, Math.round(measuredFlops / flopsOf(product))));
    const started = performance.now();
    for (let run = 0; run < runs; run++) program.run();
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - started) / runs;
  } finally {
    program.dispose();
    for (const buffer of given.values()) buffers.free(buffer);
  }
}
