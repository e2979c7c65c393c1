/** Runs a case with our kernels, twice. */
import type { GpuContext } from '../../engine/gpu/context.ts';
import { gemmKey } from '../../engine/gpu/kernels/gemm.ts';
import { planGraph } from '../../engine/gpu/plan.ts';
import { createProgram } from '../../engine/gpu/program.ts';
import { readFloats } from '../../engine/gpu/read-back.ts';
import { reachable, sizeOf, type Value } from '../../engine/graph/ir.ts';
import { buildCase, type KernelCase } from './kernel-cases.ts';

export interface CaseResult {
  /** Of the first run. */
  readonly outputs: Record<string, Float32Array>;
  /** Outputs that a second run, in the memory that the first left behind, gave other bits of. */
  readonly unsteady: string[];
  /** Inputs that are no longer what was fed though no result may lie there. */
  readonly overwritten: string[];
  /** Whether the first output lies in the first donated input. */
  readonly inPlace: boolean;
}

/** @throws Error with what the device said of a kernel or a binding */
export async function runCase(context: GpuContext, kernelCase: KernelCase): Promise<CaseResult> {
  const { device, buffers } = context;
  const { outputs, feeds } = buildCase(kernelCase);
  const { donated = [], gemmTile } = kernelCase;
  const shared = device.limits.maxComputeWorkgroupStorageSize;
  const products = reachable(Object.values(outputs)).filter(({ operator }) => operator.kind === 'Gemm');
  const plan = planGraph(outputs, {
    donated: new Set(donated),
    workgroupBytes: Math.min(shared, kernelCase.workgroupBytes ?? shared),
    ...(gemmTile ? { gemmTiles: new Map(products.map((value) => [gemmKey(value), gemmTile])) } : {}),
    half: false,
    halfInputs: new Set(),
  });
  device.pushErrorScope('validation');
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const given = new Map(plan.inputs.map((value) => [value, buffers.make(plan.bytesOf(value), usage)]));
  const program = await createProgram(context, plan, given);
  const once = async (): Promise<Record<string, Float32Array>> => {
    for (const [value, buffer] of given) device.queue.writeBuffer(buffer, 0, feeds[value.name!]!);
    program.run();
    const results: [string, Float32Array][] = [];
    for (const [name, value] of Object.entries(outputs)) {
      const part = { buffer: program.bufferOf(value), size: sizeOf(value.shape) };
      results.push([name, await readFloats(context, [part])]);
    }
    return Object.fromEntries(results);
  };
  const first = await once();
  const second = await once();
  const overwritten: string[] = [];
  for (const [value, buffer] of given) {
    const left = await readFloats(context, [{ buffer, size: sizeOf(value.shape) }]);
    const fed = new Int32Array(feeds[value.name!]!.buffer);
    if (new Int32Array(left.buffer).some((bits, i) => bits !== fed[i]!)) overwritten.push(value.name!);
  }
  const [output] = Object.values(outputs) as [Value];
  const [target] = [...given].filter(([value]) => value.name === donated[0]).map(([, buffer]) => buffer);
  const inPlace = target !== undefined && program.bufferOf(output) === target;
  program.dispose();
  for (const buffer of given.values()) buffers.free(buffer);
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  return {
    outputs: first,
    unsteady: Object.keys(first).filter((name) => first[name]!.some((value, i) => !Object.is(value, second[name]![i]))),
    overwritten: overwritten.filter((name) => !donated.includes(name)),
    inPlace,
  };
}
