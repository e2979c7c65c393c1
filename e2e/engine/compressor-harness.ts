/** The page of the compressor's tests: compressors on a device of its own, fed with gradients from outside. */
import type { ParameterSpec } from '../../core/model/layout.ts';
import type { DecoupledMomentumParameters } from '../../core/protocol/manifest.ts';
import { createGpuCompressor, type DeviceTensor, type GpuCompressor } from '../../engine/gpu/compressor.ts';
import { createGpuContext, type GpuContext } from '../../engine/gpu/context.ts';

/** Where a tensor's gradient is put: the number of a buffer, and its first element there. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

let context: GpuContext | undefined;
let gradients: DeviceTensor[] = [];
let compressor: GpuCompressor | undefined;

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

const api = {
  async create(
    parameters: DecoupledMomentumParameters,
    specs: readonly ParameterSpec[],
    places: readonly Place[],
  ): Promise<{ bytes: number; dispatches: number; stateBytes: number }> {
    context ??= await device();
    const { buffers } = context;
    const sizes: number[] = [];
    specs.forEach(({ size }, i) => {
      const { buffer, offset } = places[i]!;
      sizes[buffer] = Math.max(sizes[buffer] ?? 0, offset + size);
    });
    const made = sizes.map((size) => buffers.make(4 * size, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST));
    gradients = specs.map((spec, i) => ({ spec, buffer: made[places[i]!.buffer]!, offset: places[i]!.offset }));
    compressor = await createGpuCompressor({ context, parameters, gradients });
    const { bytes, dispatches, stateBytes } = compressor;
    return { bytes, dispatches, stateBytes };
  },
  /** @param gradient the flat sum */
  async compress(gradient: Float32Array<ArrayBuffer>, learningRate: number, gradientScale = 1): Promise<Uint8Array> {
    for (const { buffer, offset, spec } of gradients) {
      context!.device.queue.writeBuffer(buffer, 4 * offset, gradient, spec.offset, spec.size);
    }
    return current().compress({ learningRate, gradientScale });
  },
  undo: (): Promise<void> => current().undo(),
  saveState: (): Promise<Uint8Array> => current().saveState(),
  loadState: (bytes: Uint8Array): Promise<void> => current().loadState(bytes),
  /** @returns buffers that are left over */
  dispose(): number {
    compressor?.dispose();
    compressor = undefined;
    for (const buffer of new Set(gradients.map(({ buffer }) => buffer))) context!.buffers.free(buffer);
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
