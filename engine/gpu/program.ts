/** A plan on a device: pipelines, buffers and bind groups made once, so that a run only says "dispatch". */
import type { Value } from '../graph/ir.ts';
import type { GpuBuffers } from '../gpu-buffers.ts';
import type { Kernel } from './kernel.ts';
import type { Plan, Slot } from './plan.ts';

/**
 * Dispatches that are handed to the device at once. An operating system resets a GPU that is busy with one submission for
 * seconds.
 */
const DISPATCHES_A_SUBMISSION = 32;

export interface Program {
  /** Bytes of the buffers that the program made. */
  readonly bytes: number;
  /** Runs all kernels in order; returns when they are queued. */
  run(): void;
  /** Where a value lies: only outputs and inputs still hold it after a run. */
  bufferOf(value: Value): GPUBuffer;
  dispose(): void;
}

/** Kernels of one device, compiled once for all programs. */
export type PipelineCache = Map<string, Promise<GPUComputePipeline>>;

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Kernel['workgroups'];
}

export async function compile(
  device: GPUDevice,
  cache: PipelineCache,
  { label, code }: Pick<Kernel, 'label' | 'code'>,
): Promise<GPUComputePipeline> {
  let pipeline = cache.get(code);
  if (!pipeline) {
    const module = device.createShaderModule({ label, code });
    pipeline = device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } });
    cache.set(code, pipeline);
  }
  return pipeline;
}

/**
 * @param given buffers of the plan's inputs, which stay their owner's
 * @throws GPUPipelineError when a kernel does not compile
 */
export async function createProgram(
  device: GPUDevice,
  buffers: GpuBuffers,
  cache: PipelineCache,
  plan: Plan,
  given: ReadonlyMap<Value, GPUBuffer>,
): Promise<Program> {
  const pipelines = await Promise.all(plan.kernels.map((kernel) => compile(device, cache, kernel)));
  const own: GPUBuffer[] = [];
  const make = (bytes: number): GPUBuffer => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = buffers.make(bytes, usage);
    own.push(buffer);
    return buffer;
  };
  const slots = new Map<Slot, GPUBuffer>(plan.slots.map((slot) => [slot, make(slot.bytes)]));
  const constants = new Map<Value, GPUBuffer>(
    plan.constants.map((value) => {
      if (value.operator.kind !== 'constant') throw new Error('not a constant');
      const buffer = make(plan.bytesOf(value));
      device.queue.writeBuffer(buffer, 0, Float32Array.from(value.operator.data));
      return [value, buffer];
    }),
  );
  const bufferOf = (value: Value): GPUBuffer => {
    const place = plan.places.get(value);
    const buffer =
      place?.kind === 'slot' ? slots.get(place.slot) : place && (given.get(place.value) ?? constants.get(place.value));
    if (!buffer) throw new RangeError(`no buffer was given for ${value.name ?? value.operator.kind}`);
    return buffer;
  };
  const steps = plan.kernels.map(({ bindings, workgroups }, i): Step => {
    const pipeline = pipelines[i]!;
    const entries = bindings.map(({ value }, binding) => ({
      binding,
      // A slot may be larger than the value, and the rest of it is nobody's.
      resource: { buffer: bufferOf(value), size: plan.bytesOf(value) },
    }));
    return { pipeline, workgroups, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
  });
  return {
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    run() {
      for (let start = 0; start < steps.length; start += DISPATCHES_A_SUBMISSION) {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (const { pipeline, group, workgroups } of steps.slice(start, start + DISPATCHES_A_SUBMISSION)) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...workgroups);
        }
        pass.end();
        device.queue.submit([encoder.finish()]);
      }
    },
    bufferOf,
    dispose() {
      for (const buffer of own) buffers.free(buffer);
    },
  };
}
