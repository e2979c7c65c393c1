/** fp16 copies of fp32 parameters, made on the device whenever these have changed: once a window. */
import type { GpuContext } from './context.ts';
import { dispatchOf, submit } from './dispatch.ts';

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
  { device, buffers, compile }: GpuContext,
  parameters: readonly { readonly name: string; readonly size: number; readonly buffer: GPUBuffer }[],
): Promise<HalfCopies> {
  const pipeline = await compile('half copies', CODE);
  const copies = parameters.map(({ name, size, buffer }) => {
    // As many elements as the source's buffer has room for.
    const copy = buffers.make(buffer.size / 2, GPUBufferUsage.STORAGE);
    const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(size / THREADS));
    return { name, copy, dispatch: dispatchOf(device, pipeline, [buffer, copy], [workgroups]) };
  });
  const dispatches = copies.map(({ dispatch }) => dispatch);
  const byName = new Map(copies.map(({ name, copy }) => [name, copy]));
  let stale = true;
  return {
    of: (name) => byName.get(name),
    invalidate() {
      stale = true;
    },
    refresh() {
      if (!stale) return;
      submit(device, dispatches);
      stale = false;
    },
    dispose() {
      for (const { copy } of copies) buffers.free(copy);
    },
  };
}
