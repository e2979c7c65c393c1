/** What the kernels share in which a workgroup takes one chunk: its threads' elements, the bindings, and the bases. */
import type { ChunkGrid } from '../../../../core/numerics/chunks.ts';
import { dctBasis } from '../../../../core/numerics/dct.ts';
import { repeat } from '../../kernel.ts';

/** Kernels are compiled once a shape. */
export type ChunkShape = Pick<ChunkGrid, 'rows' | 'columns' | 'kept'>;

/** WebGPU's guaranteed limit. */
const MAX_THREADS = 256;

/**
 * A thread's elements are `share` of one column, every `lanes`-th row: so element i of thread t of T has the place
 * i · T + t in the chunk.
 */
export interface Division {
  readonly lanes: number;
  readonly share: number;
  readonly threads: number;
}

export function divide({ rows, columns }: ChunkShape): Division {
  const lanes = Math.min(rows, Math.floor(MAX_THREADS / columns));
  return { lanes, share: Math.ceil(rows / lanes), threads: columns * lanes };
}

/**
 * WGSL for each of a thread's elements, or of those from `first` to before `end`: its number `i`, its `row`, and its place
 * in the chunk, `element`. Written out, since an array is sure to be in registers only where its indices are constants.
 */
export function eachOwn(shape: ChunkShape, body: string, first = 0, end = divide(shape).share): string {
  const { rows, columns } = shape;
  const { lanes } = divide(shape);
  return repeat(end - first, (j) => {
    const i = first + j;
    return `{
    const i = ${i}u;
    let row = lane + ${i * lanes}u;
    let element = row * ${columns}u + column;
    ${(i + 1) * lanes <= rows ? '' : `if (row < ${rows}u)`} {
      ${body}
    }
  }`;
  });
}

/** A run of chunks (`runs.ts`), and what changes from window to window. */
export const UNIFORMS = /* wgsl */ `
struct Run {
  start: u32,
  parameter: u32,
  size: u32,
  stride: u32,
  across: u32,
  chunks: u32,
  first_chunk: u32,
  first_pick: u32,
}

struct Window {
  decay: f32,
  step: f32,
  sign: f32,
}

@group(0) @binding(0) var<uniform> run: Run;
@group(0) @binding(1) var<uniform> window: Window;
`;

/** The entry point of a kernel over the chunks of a run. @param body sees `chunk`, `corner`, `thread`, `column` and `lane` */
export function chunkMain(shape: ChunkShape, body: string): string {
  const { lanes } = divide(shape);
  return /* wgsl */ `
@compute @workgroup_size(${shape.columns}, ${lanes})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let chunk = group.y * groups.x + group.x;
  if (chunk >= run.chunks) { return; }
  let column = local.x;
  let lane = local.y;
  let thread = lane * ${shape.columns}u + column;
  let corner = chunk / run.across * ${shape.rows}u * run.stride + chunk % run.across * ${shape.columns}u;
${body}
}
`;
}

/**
 * Bases of a shape's transform (`core/numerics/dct.ts`): [rows, rows], [columns, columns] transposed, and this as it is.
 * Neighbouring threads then read neighbours in either direction.
 */
export function basesOf({ rows, columns }: ChunkShape): Float32Array<ArrayBuffer> {
  const basis = dctBasis(columns);
  const transposed = basis.map((_, at) => basis[(at % columns) * columns + Math.floor(at / columns)]!);
  return Float32Array.of(...dctBasis(rows), ...transposed, ...basis);
}
