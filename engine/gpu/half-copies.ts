/** fp16 copies of fp32 parameters, made on the device whenever these have changed: once a window. */
import type { GpuContext } from './context.ts';

const THREADS = 256;
const MAX_WORKGROUPS = 65_535;

const CODE = /* wgsl */ `enable f16;
@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f16>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < arrayLength(&source); i += groups.x * ${THREADS}u) { result[i] = f16(source[i]); }
}
`;

export interface HalfCopies {
  of(name: string): GPUBuffer | undefined;
  /** The parameters have changed. */
  invalidate(): void;
  /** Copies again, if they have. */
  refresh(): void;
  dispose(): void;
}

/** @param parameters sizes in elements */
export async function createHalfCopies(
  { device, buffers }: GpuContext,
  parameters: readonly { readonly name: string; readonly size: number; readonly buffer: GPUBuffer }[],
): Promise<HalfCopies> {
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: CODE }), entryPoint: 'main' },
  });
  const copies = parameters.map(({ name, size, buffer }) => {
    // As many elements as the source's buffer has room for.
    const copy = buffers.make(buffer.size / 2, GPUBufferUsage.STORAGE);
    const entries = [buffer, copy].map((bound, binding) => ({ binding, resource: { buffer: bound } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { name, copy, group, workgroups: Math.min(MAX_WORKGROUPS, Math.ceil(size / THREADS)) };
  });
  const byName = new Map(copies.map(({ name, copy }) => [name, copy]));
  let stale = true;
  return {
    of: (name) => byName.get(name),
    invalidate() {
      stale = true;
    },
    refresh() {
      if (!stale) return;
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      for (const { group, workgroups } of copies) {
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(workgroups);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      stale = false;
    },
    dispose() {
      for (const { copy } of copies) buffers.free(copy);
    },
  };
}
