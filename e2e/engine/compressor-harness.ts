/** The page of the compressors' tests: compressors on a device of its own, fed with gradients from outside. */
import type { ParameterSpec } from '../../core/model/layout.ts';
import type { SchemeParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import { createGpuCompressor, type GpuCompressor } from '../../engine/gpu/compressor.ts';
import { createGpuContext, type GpuContext } from '../../engine/gpu/context.ts';
import type { DeviceTensor } from '../../engine/gpu/kernels/chunks/runs.ts';
import { readBytes } from '../../engine/gpu/read-back.ts';

/** Where a tensor's gradient is put: the number of a buffer, and its first element there. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

let context: GpuContext | undefined;
let parameters: DeviceTensor[] = [];
let gradients: DeviceTensor[] = [];
let compressor: GpuCompressor | undefined;
/** Of decoupled momentum, instead of the schedule's. */
let learningRate = 1;

/** With the least that WebGPU guarantees: no limits are asked for. */
async function device(): Promise<GpuContext> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  return createGpuContext(await adapter.requestDevice());
}

function current(): GpuCompressor {
  if (!compressor) throw new Error('the test has made no compressor');
  return compressor;
}

function tensors(specs: readonly ParameterSpec[], places: readonly Place[]): DeviceTensor[] {
  const sizes: number[] = [];
  specs.forEach(({ size }, i) => {
    const { buffer, offset } = places[i]!;
    sizes[buffer] = Math.max(sizes[buffer] ?? 0, offset + size);
  });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const made = sizes.map((size) => context!.buffers.make(4 * size, usage));
  return specs.map((spec, i) => ({ spec, buffer: made[places[i]!.buffer]!, offset: places[i]!.offset }));
}

function write(to: readonly DeviceTensor[], values: Float32Array<ArrayBuffer>): void {
  for (const { buffer, offset, spec } of to) {
    context!.device.queue.writeBuffer(buffer, 4 * offset, values, spec.offset, spec.size);
  }
}

const api = {
  async create(
    rules: SchemeParameters,
    specs: readonly ParameterSpec[],
    places: readonly Place[],
  ): Promise<{ bytes: number; dispatches: number; stateBytes: number }> {
    context ??= await device();
    parameters = tensors(specs, places);
    gradients = tensors(specs, places);
    const total = specs.reduce((sum, { size }) => sum + size, 0);
    const scheme = createScheme(rules, { parameters: specs, total });
    const rated = { ...scheme, learningRate: () => learningRate };
    compressor = await createGpuCompressor({ context, scheme: rated, parameters, gradients });
    const { bytes, dispatches, stateBytes } = compressor;
    return { bytes, dispatches, stateBytes };
  },
  setParameters(values: Float32Array<ArrayBuffer>): void {
    write(parameters, values);
  },
  async readParameters(): Promise<Float32Array> {
    const values = new Float32Array(parameters.reduce((sum, { spec }) => sum + spec.size, 0));
    for (const { buffer, offset, spec } of parameters) {
      const bytes = new Uint8Array(4 * (offset + spec.size));
      await readBytes(context!, buffer, bytes);
      values.set(new Float32Array(bytes.buffer, 4 * offset), spec.offset);
    }
    return values;
  },
  /** @param gradient the flat sum */
  localStep(gradient: Float32Array<ArrayBuffer>, window: number, gradientScale = 1): Promise<void> {
    write(gradients, gradient);
    return current().localStep(window, gradientScale);
  },
  /** The message of the local steps taken. */
  compressSteps: (): Promise<Uint8Array> => current().compress(0, null),
  discard(): void {
    current().discard();
  },
  /** @param gradient the flat sum */
  compress(gradient: Float32Array<ArrayBuffer>, rate: number, gradientScale = 1): Promise<Uint8Array> {
    write(gradients, gradient);
    learningRate = rate;
    return current().compress(0, gradientScale);
  },
  /** Buffers that are there. */
  buffers: (): number => context!.buffers.live,
  undo: (): Promise<void> => current().undo(),
  saveState: (): Promise<Uint8Array> => current().saveState(),
  loadState: (bytes: Uint8Array): Promise<void> => current().loadState(bytes),
  /** @returns buffers that are left over */
  dispose(): number {
    compressor?.dispose();
    compressor = undefined;
    const placed = [...parameters, ...gradients].map(({ buffer }) => buffer);
    for (const buffer of new Set(placed)) context!.buffers.free(buffer);
    parameters = [];
    gradients = [];
    return context!.buffers.live;
  },
};

export type CompressorApi = typeof api;

declare global {
  interface Window {
    compressor: CompressorApi;
  }
}

window.compressor = api;
