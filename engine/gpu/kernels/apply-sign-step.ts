/**
 * The outer step on the GPU, bit for bit what `applySignStep` of core/lockstep does: one addition or subtraction, which
 * WGSL requires to be correctly rounded, and subnormal results flushed by hand, because whether the device flushes
 * them is up to the device.
 */
import type { SignStep } from '../../../core/lockstep/sign-step.ts';
import type { GpuBuffers } from '../buffers.ts';

const WORKGROUP_SIZE = 256;
/** WebGPU's guaranteed limit of workgroups along one axis; a thread takes several parameters beyond it. */
const MAX_WORKGROUPS = 65_535;

const SOURCE = /* wgsl */ `
struct Tensor {
  offset: u32,
  size: u32,
  learning_rate: f32,
}

@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> descend: array<u32>;
@group(0) @binding(2) var<storage, read> touched: array<u32>;
@group(0) @binding(3) var<uniform> tensor: Tensor;

@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < tensor.size; i += groups.x * ${WORKGROUP_SIZE}u) {
    let position = tensor.offset + i;
    let bit = 1u << (position & 31u);
    if ((touched[position >> 5u] & bit) == 0u) {
      continue;
    }
    let down = (descend[position >> 5u] & bit) != 0u;
    let moved = parameters[i] + select(tensor.learning_rate, -tensor.learning_rate, down);
    parameters[i] = select(moved, 0.0, abs(moved) < 0x1p-126f);
  }
}
`;

export interface StepTarget {
  readonly buffer: GPUBuffer;
  /** First element in the flat vector. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
}

/** @returns a function that applies a step to the targets, which together are the flat vector, in place */
export function createApplySignStep(
  device: GPUDevice,
  buffers: GpuBuffers,
  targets: readonly StepTarget[],
): (step: SignStep) => void {
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: SOURCE }), entryPoint: 'main' },
  });
  return (step) => {
    const upload = (words: Uint32Array): GPUBuffer => {
      const buffer = buffers.make(words.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
      device.queue.writeBuffer(buffer, 0, new Uint32Array(words));
      return buffer;
    };
    const descend = upload(step.descend);
    const touched = upload(step.touched);
    const encoder = device.createCommandEncoder();
    const uniforms = targets.map(({ buffer, offset, size }) => {
      const uniform = buffers.make(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      const data = new DataView(new ArrayBuffer(16));
      data.setUint32(0, offset, true);
      data.setUint32(4, size, true);
      data.setFloat32(8, step.learningRate, true);
      device.queue.writeBuffer(uniform, 0, data.buffer);
      const entries = [buffer, descend, touched, uniform].map((bound, binding) => ({
        binding,
        resource: { buffer: bound },
      }));
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(size / WORKGROUP_SIZE)));
      pass.end();
      return uniform;
    });
    device.queue.submit([encoder.finish()]);
    // Destroying after submit is safe: the queue keeps what it still needs.
    for (const buffer of [descend, touched, ...uniforms]) buffers.free(buffer);
  };
}
