/** One device with what engines on it share: its buffers' count, its compiled kernels, and whether it is still there. */
import { createGpuBuffers, type GpuBuffers } from '../gpu-buffers.ts';
import type { PipelineCache } from './program.ts';

/** The GPU was lost (driver reset, sleep, memory), with all that was on it. A new engine gets a new device. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

/** How much later than the failure that it causes the platform may tell of a loss. */
const LOSS_NOTICE_MS = 200;

export interface GpuContext {
  readonly device: GPUDevice;
  readonly buffers: GpuBuffers;
  readonly pipelines: PipelineCache;
  readonly lost: boolean;
  /**
   * Does the work; what fails on a lost device is reported as its loss.
   *
   * @throws DeviceLostError
   */
  guard<T>(work: () => T | Promise<T>): Promise<T>;
}

export function createGpuContext(device: GPUDevice): GpuContext {
  let lost: DeviceLostError | undefined;
  void device.lost.then(({ message, reason }) => {
    lost = new DeviceLostError(`The GPU was lost (${reason === 'unknown' ? message : reason}).`);
  });
  const assertPresent = (): void => {
    if (lost) throw lost;
  };
  return {
    device,
    buffers: createGpuBuffers(device),
    pipelines: new Map(),
    get lost() {
      return lost !== undefined;
    },
    async guard(work) {
      assertPresent();
      let result;
      try {
        result = await work();
      } catch (error) {
        if (!(error instanceof RangeError)) {
          await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NOTICE_MS))]);
        }
        assertPresent();
        throw error;
      }
      // A lost device also answers with zeros.
      assertPresent();
      return result;
    },
  };
}

/** The flat values of buffers that hold them one after another. @param parts in order, sizes in elements */
export async function readFloats(
  { device, buffers }: GpuContext,
  parts: readonly { readonly buffer: GPUBuffer; readonly size: number }[],
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = 4 * parts.reduce((sum, { size }) => sum + size, 0);
  const staging = buffers.make(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  try {
    const encoder = device.createCommandEncoder();
    let at = 0;
    for (const { buffer, size } of parts) {
      encoder.copyBufferToBuffer(buffer, 0, staging, at, 4 * size);
      at += 4 * size;
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange(0, bytes).slice(0));
  } finally {
    buffers.free(staging);
  }
}
