/** A plan on a device: pipelines, buffers and bind groups made once, so that a run only says "dispatch". */
import type { Value } from '../graph/ir.ts';
import type { GpuContext } from './context.ts';
import { dispatchOf, submit } from './dispatch.ts';
import type { Plan, Slot } from './plan.ts';

export interface Program {
  /** Bytes of the buffers that the program made. */
  readonly bytes: number;
  /** Runs all kernels in order; returns when they are queued. */
  run(): void;
  /** Where a value lies: only outputs and inputs still hold it after a run. */
  bufferOf(value: Value): GPUBuffer;
  dispose(): void;
}

/**
 * @param given buffers of the plan's inputs, which stay their owner's
 * @throws GPUPipelineError when a kernel does not compile
 */
export async function createProgram(
  { device, buffers, compile }: Pick<GpuContext, 'device' | 'buffers' | 'compile'>,
  plan: Plan,
  given: ReadonlyMap<Value, GPUBuffer>,
): Promise<Program> {
  const pipelines = await Promise.all(plan.kernels.map(({ label, code }) => compile(label, code)));
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
  const dispatches = plan.kernels.map(({ bindings, workgroups }, i) => {
    // A slot may be larger than the value, and the rest of it is nobody's.
    const bound = bindings.map(({ value }) => ({ buffer: bufferOf(value), size: plan.bytesOf(value) }));
    return dispatchOf(device, pipelines[i]!, bound, workgroups);
  });
  return {
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    run() {
      submit(device, dispatches);
    },
    bufferOf,
    dispose() {
      for (const buffer of own) buffers.free(buffer);
    },
  };
}
