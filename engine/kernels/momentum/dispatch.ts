/** Kernels bound to their buffers, run in order, and bytes read back: what the host does with a device. */
import type { GpuContext } from '../../gpu/context.ts';
import { spread } from '../../gpu/kernel.ts';

export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number];
}

/** Dispatches handed to the device at once: an operating system resets a GPU that one submission keeps busy for seconds. */
const DISPATCHES_A_SUBMISSION = 32;

/** Bytes that are in flight from the device at once. */
const STAGING_BYTES = 32 * 2 ** 20;

/** @param bound in the order of the bindings @param groups workgroups, however many */
export function dispatchOf(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  bound: readonly (GPUBuffer | GPUBufferBinding)[],
  groups: number,
): Dispatch {
  const entries = bound.map((resource, binding) => ({
    binding,
    resource: 'buffer' in resource ? resource : { buffer: resource },
  }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { pipeline, group, workgroups: spread(groups).workgroups };
}

export function submit(device: GPUDevice, dispatches: readonly Dispatch[]): void {
  for (let start = 0; start < dispatches.length; start += DISPATCHES_A_SUBMISSION) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of dispatches.slice(start, start + DISPATCHES_A_SUBMISSION)) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
}

/** Fills `target` with a buffer's first bytes as they are when all that was submitted before has run. */
export async function readBytes(
  { device, buffers }: Pick<GpuContext, 'device' | 'buffers'>,
  source: GPUBuffer,
  target: Uint8Array,
): Promise<void> {
  const staging = buffers.make(
    Math.min(STAGING_BYTES, target.length),
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  );
  try {
    for (let at = 0; at < target.length; at += STAGING_BYTES) {
      const bytes = Math.min(STAGING_BYTES, target.length - at);
      const words = Math.ceil(bytes / 4);
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, at, staging, 0, 4 * words);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, 4 * words);
      target.set(new Uint8Array(staging.getMappedRange(0, 4 * words), 0, bytes), at);
      staging.unmap();
    }
  } finally {
    buffers.free(staging);
  }
}
