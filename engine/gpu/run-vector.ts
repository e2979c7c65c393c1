/** A flat vector of the layout that stays on the device, a buffer a run. */
import type { OwnBuffers } from './buffers.ts';
import type { GpuContext } from './context.ts';
import type { ChunkRun } from './kernels/chunks/runs.ts';
import { readBytes } from './read-back.ts';

export interface RunVector {
  /** In order of the runs. */
  readonly buffers: readonly GPUBuffer[];
  /** @param bytes the whole vector's place */
  read(bytes: Uint8Array): Promise<void>;
  write(values: Float32Array<ArrayBuffer>): void;
}

export function createRunVector(
  context: Pick<GpuContext, 'device' | 'buffers'>,
  own: OwnBuffers,
  runs: readonly ChunkRun[],
): RunVector {
  const buffers = runs.map(({ size }) => own.make(4 * size));
  return {
    buffers,
    async read(bytes) {
      for (const [i, { grid, size }] of runs.entries()) {
        await readBytes(context, buffers[i]!, bytes.subarray(4 * grid.offset, 4 * (grid.offset + size)));
      }
    },
    write(values) {
      runs.forEach(({ grid, size }, i) => {
        context.device.queue.writeBuffer(buffers[i]!, 0, values, grid.offset, size);
      });
    },
  };
}
