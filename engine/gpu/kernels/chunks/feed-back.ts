/**
 * Moves the accumulator by what receivers decode of a message, at the length it had, times the window's sign: a workgroup
 * a chunk, the fast path of `addDecoded` in the contributors of core/scheme.
 */
import { chunkMain, divide, eachOwn, UNIFORMS, type ChunkShape } from './chunk-workgroup.ts';

const BINDINGS = /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read_write> accumulator: array<f32>;
@group(0) @binding(3) var<storage, read> picks: array<u32>;
@group(0) @binding(4) var<storage, read> norms: array<f32>;
@group(0) @binding(5) var<storage, read> quantiser: array<f32>;
`;

/** WGSL: leaves what pick `k` decodes to in `value`, and its place in the chunk in `element`. */
const DECODE = `let pick = picks[first_pick + k];
    let value = factor * (quantiser[2u + (pick >> 16u)] + quantiser[0]);
    let element = pick & 0xffffu;`;

function decoded(shape: ChunkShape, body: string): string {
  return chunkMain(
    shape,
    `
  let factor = window.sign * norms[run.first_chunk + chunk];
  if (factor == 0.0) { return; }
  let first_pick = run.first_pick + chunk * ${shape.kept}u;
  ${body}`,
  );
}

/** Values are sent as they are: a thread takes some of them to their places. */
export function feedBackCode(shape: ChunkShape): string {
  const { columns, kept } = shape;
  return /* wgsl */ `${BINDINGS}
${decoded(
  shape,
  `for (var k = thread; k < ${kept}u; k += ${divide(shape).threads}u) {
    ${DECODE}
    accumulator[corner + element / ${columns}u * run.stride + element % ${columns}u] += value;
  }`,
)}`;
}

/** Few coefficients are kept, so the inverse transform is a sum over these, and threads need nothing of each other. */
export function feedBackTransformedCode(shape: ChunkShape): string {
  const { rows, columns, kept } = shape;
  const atColumns = rows * rows + columns * columns;
  return /* wgsl */ `${BINDINGS}
@group(0) @binding(6) var<storage, read> bases: array<f32>;
${decoded(
  shape,
  `var own: array<f32, ${divide(shape).share}>;
  for (var k = 0u; k < ${kept}u; k++) {
    ${DECODE}
    let along_row = value * bases[${atColumns}u + element % ${columns}u * ${columns}u + column];
    let basis = element / ${columns}u * ${rows}u;
    ${eachOwn(shape, `own[i] += along_row * bases[basis + row];`)}
  }
  ${eachOwn(shape, 'accumulator[corner + row * run.stride + column] += own[i];')}`,
)}`;
}
