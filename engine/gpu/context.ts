/** One device with what engines on it share: its buffers' count, its compiled kernels, and whether it is still there. */
import { createGpuBuffers, type GpuBuffers } from './buffers.ts';

/** The GPU was lost (driver reset, sleep, memory), with all that was on it. A new engine gets a new device. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

/** The device had no room for what the planner thought would fit: others use it too. */
export class GpuMemoryError extends Error {
  override readonly name = 'GpuMemoryError';
  readonly remedy = 'Close other tabs and programs that use the GPU, or allow less memory with ?memory=MiB.';
}

/** How much later than the failure that it causes the platform may tell of a loss. */
const LOSS_NOTICE_MS = 200;

export interface GpuContext {
  readonly device: GPUDevice;
  readonly buffers: GpuBuffers;
  /** Compiled once, whoever asks. @throws GPUPipelineError */
  readonly compile: (label: string, code: string) => Promise<GPUComputePipeline>;
  readonly lost: boolean;
  /**
   * Makes buffers, and looks whether there was room for them: the platform only notes that, and goes on with buffers that
   * hold nothing.
   *
   * @throws GpuMemoryError
   */
  allocate<T>(work: () => T | Promise<T>): Promise<T>;
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
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const assertPresent = (): void => {
    if (lost) throw lost;
  };
  return {
    device,
    buffers: createGpuBuffers(device),
    compile(label, code) {
      let pipeline = pipelines.get(code);
      if (!pipeline) {
        const module = device.createShaderModule({ label, code });
        pipeline = device.createComputePipelineAsync({
          label,
          layout: 'auto',
          compute: { module, entryPoint: 'main' },
        });
        pipelines.set(code, pipeline);
      }
      return pipeline;
    },
    get lost() {
      return lost !== undefined;
    },
    async allocate(work) {
      device.pushErrorScope('out-of-memory');
      const [outcome] = await Promise.allSettled([(async () => work())()]);
      const full = await device.popErrorScope();
      if (full) throw new GpuMemoryError(`The GPU has not enough free memory (${full.message}).`);
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
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
