/**
 * Moves the momentum by what receivers decode of a message, at the length it had, times the window's sign: a workgroup a
 * chunk, the fast path of `addDecoded` in core/scheme/decoupled-momentum/contributor.ts. Few coefficients are kept, so
 * the inverse transform is a sum over these, and its threads need nothing of each other.
 */
import { chunkMain, divide, eachOwn, UNIFORMS, type ChunkShape } from './chunk-workgroup.ts';

export function feedBackCode(shape: ChunkShape): string {
  const { rows, columns, kept } = shape;
  return /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read_write> momentum: array<f32>;
@group(0) @binding(3) var<storage, read> bases: array<f32>;
@group(0) @binding(4) var<storage, read> picks: array<u32>;
@group(0) @binding(5) var<storage, read> norms: array<f32>;
@group(0) @binding(6) var<storage, read> quantiser: array<f32>;
${chunkMain(
  shape,
  `
  let factor = window.sign * norms[run.first_chunk + chunk];
  if (factor == 0.0) { return; }
  let first_pick = run.first_pick + chunk * ${kept}u;
  var own: array<f32, ${divide(shape).share}>;
  for (var k = 0u; k < ${kept}u; k++) {
    let pick = picks[first_pick + k];
    let value = factor * (quantiser[2u + (pick >> 16u)] + quantiser[0]);
    let frequency = pick & 0xffffu;
    let along_row = value * bases[${rows * rows + columns * columns}u + frequency % ${columns}u * ${columns}u + column];
    ${eachOwn(shape, `own[i] += along_row * bases[frequency / ${columns}u * ${rows}u + row];`)}
  }
  ${eachOwn(shape, 'momentum[corner + row * run.stride + column] += own[i];')}`,
)}`;
}
