/**
 * Outer steps on the GPU, bit for bit what `applyOuterStep` of core/lockstep does: one addition or subtraction, which
 * WGSL requires to be correctly rounded, and subnormal results flushed by hand, because whether the device flushes
 * them is up to the device.
 */
import type { SignStep } from '../../../core/lockstep/sign-step.ts';
import type { SparseStep } from '../../../core/lockstep/sparse-step.ts';
import type { OuterStep } from '../../../core/scheme/scheme.ts';
import type { GpuBuffers } from '../buffers.ts';

const WORKGROUP_SIZE = 256;
/** WebGPU's guaranteed limit of workgroups along one axis; a thread takes several parameters beyond it. */
const MAX_WORKGROUPS = 65_535;

const SHARED = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> parameters: array<f32>;

fn flushed(value: f32) -> f32 { return select(value, 0.0, abs(value) < 0x1p-126f); }
`;

const SIGN_SOURCE = /* wgsl */ `${SHARED}
struct Tensor {
  offset: u32,
  size: u32,
  learning_rate: f32,
}

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
    parameters[i] = flushed(parameters[i] + select(tensor.learning_rate, -tensor.learning_rate, down));
  }
}
`;

const SPARSE_SOURCE = /* wgsl */ `${SHARED}
struct Range {
  offset: u32,
  first: u32,
  end: u32,
}

@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<uniform> range: Range;

@compute @workgroup_size(${WORKGROUP_SIZE})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = range.first + id.x; i < range.end; i += groups.x * ${WORKGROUP_SIZE}u) {
    let at = positions[i] - range.offset;
    parameters[at] = flushed(parameters[at] - values[i]);
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

/** What a step does to one target. */
interface Part {
  readonly buffer: GPUBuffer;
  readonly uniform: ArrayBuffer;
  /** Elements that are looked at. */
  readonly work: number;
}

/** @returns a function that applies a step to the targets, which together are the flat vector, in place */
export function createApplyStep(
  device: GPUDevice,
  buffers: GpuBuffers,
  targets: readonly StepTarget[],
): (step: OuterStep) => void {
  const compile = (code: string): GPUComputePipeline =>
    device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    });
  const signPipeline = compile(SIGN_SOURCE);
  const sparsePipeline = compile(SPARSE_SOURCE);

  const run = (
    pipeline: GPUComputePipeline,
    data: readonly (Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>)[],
    parts: readonly Part[],
  ): void => {
    const passing: GPUBuffer[] = [];
    const upload = (source: ArrayBuffer | ArrayBufferView<ArrayBuffer>, usage: GPUBufferUsageFlags): GPUBuffer => {
      const buffer = buffers.make(source.byteLength, usage | GPUBufferUsage.COPY_DST);
      device.queue.writeBuffer(buffer, 0, source);
      passing.push(buffer);
      return buffer;
    };
    const uploaded = data.map((source) => upload(source, GPUBufferUsage.STORAGE));
    const encoder = device.createCommandEncoder();
    for (const { buffer, uniform, work } of parts) {
      const bound = [buffer, ...uploaded, upload(uniform, GPUBufferUsage.UNIFORM)];
      const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(work / WORKGROUP_SIZE)));
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
    // Destroying after submit is safe: the queue keeps what it still needs.
    for (const buffer of passing) buffers.free(buffer);
  };

  const applySign = ({ descend, touched, learningRate }: SignStep): void => {
    const parts = targets.map(({ buffer, offset, size }) => {
      const uniform = new DataView(new ArrayBuffer(16));
      uniform.setUint32(0, offset, true);
      uniform.setUint32(4, size, true);
      uniform.setFloat32(8, learningRate, true);
      return { buffer, uniform: uniform.buffer, work: size };
    });
    run(signPipeline, [new Uint32Array(descend), new Uint32Array(touched)], parts);
  };

  const applySparse = ({ positions, values }: SparseStep): void => {
    const parts = targets.flatMap(({ buffer, offset, size }) => {
      const first = lowerBound(positions, offset);
      const end = lowerBound(positions, offset + size);
      return first === end
        ? []
        : [{ buffer, uniform: Uint32Array.of(offset, first, end, 0).buffer, work: end - first }];
    });
    if (parts.length > 0) run(sparsePipeline, [positions, values], parts);
  };

  return (step) => {
    if (step.kind === 'sign') applySign(step);
    else applySparse(step);
  };
}

/** How many of the ascending numbers are below a bound. */
function lowerBound(ascending: Uint32Array, bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
