/** Kernels bound to their buffers, and run in order. */

export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [x: number, y?: number, z?: number];
}

/** Dispatches handed to the device at once: an operating system resets a GPU that one submission keeps busy for seconds. */
const DISPATCHES_A_SUBMISSION = 32;

/** WebGPU's guaranteed limit of workgroups along an axis. */
const MAX_WORKGROUPS = 65_535;

/** Alignment of a uniform's place in its buffer, WebGPU's guaranteed one. */
export const UNIFORM_STRIDE = 256;

/** Workgroups of a kernel with a thread an element; beyond the limit a thread takes several. */
export function elementwise(threads: number, size: number): number {
  return Math.min(MAX_WORKGROUPS, Math.ceil(size / threads));
}

/** @param bound in the order of the bindings */
export function dispatchOf(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  bound: readonly (GPUBuffer | GPUBufferBinding)[],
  workgroups: Dispatch['workgroups'],
): Dispatch {
  const entries = bound.map((resource, binding) => ({
    binding,
    resource: 'buffer' in resource ? resource : { buffer: resource },
  }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { pipeline, group, workgroups };
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
