/** The contributor's side of a scheme on the GPU that holds its gradient: only the message crosses to this process. */
import type { Scheme } from '../../core/scheme/scheme.ts';
import type { Compressor } from '../engine.ts';
import type { GpuContext } from './context.ts';
import { createDecoupledMomentumCompressor } from './decoupled-momentum.ts';
import type { DeviceTensor } from './kernels/chunks/runs.ts';
import { createSparseLocoCompressor } from './sparseloco.ts';

export interface GpuCompressorOptions {
  readonly context: Pick<GpuContext, 'device' | 'buffers' | 'compile'>;
  readonly scheme: Scheme;
  /** All tensors of the layout in its order, in buffers usable as STORAGE and to copy from and to. */
  readonly parameters: readonly DeviceTensor[];
  /**
   * Sums of gradients, at the same places of other buffers. They stay the caller's, who sets them to zero after a local
   * step and after `compress`.
   */
  readonly gradients: readonly DeviceTensor[];
}

/** As `Compressor`, with the factor that turns the sum of gradients into their mean: 1 / predicted tokens. */
export interface GpuCompressor extends Omit<Compressor, 'localStep' | 'compress' | 'discard'> {
  /** @throws RangeError when a gradient is not finite (nothing has changed then) */
  localStep(window: number, gradientScale: number): Promise<void>;
  /**
   * @param gradientScale null when nothing was accumulated since the last local step
   * @throws RangeError when the window's work is not finite (the accumulator is then unchanged)
   * @throws Error when the window has no work
   */
  compress(window: number, gradientScale: number | null): Promise<Uint8Array<ArrayBuffer>>;
  /** The parameters are those before the local steps. */
  discard(): void;
  /** Of device memory that is held from window to window. */
  readonly bytes: number;
  /** Of a window with one local step, where there are any. */
  readonly dispatches: number;
  dispose(): void;
}

/** @throws RangeError when a parameter is neither vector nor matrix @throws GPUPipelineError */
export function createGpuCompressor(options: GpuCompressorOptions): Promise<GpuCompressor> {
  const { parameters } = options.scheme;
  switch (parameters.name) {
    case 'decoupled-momentum':
      return createDecoupledMomentumCompressor(options, parameters);
    case 'sparseloco':
      return createSparseLocoCompressor(options, parameters);
  }
}
