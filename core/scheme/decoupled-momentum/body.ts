/**
 * The body of a contribution of decoupled momentum. Little-endian: quantiser (shift f32, scale f32, lookup 256 x f32),
 * then for each tensor in layout order the 12-bit indices of all its chunks, ascending within a chunk, and their u8
 * codes. Shapes are not in it: both sides derive them from the model.
 */
import { packedBytes, packIndices, unpackIndices } from '../../numerics/pack.ts';
import type { ChunkGrid } from '../../numerics/chunks.ts';
import { decodingTable, MAX_SCALE, MIN_SCALE, type Quantiser } from '../../numerics/quantise.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { assertAscending } from '../ascending.ts';
import type { SparseDelta } from '../scheme.ts';

/** One quantiser serves a whole message, so its table costs 1 KiB and is worth 8 bits. */
export const BINS = 256;
const AT_LOOKUP = 8;
/** The quantiser's part of a body, which comes first. */
export const QUANTISER_BYTES = AT_LOOKUP + 4 * BINS;

/** The kept coefficients of a tensor, quantised. */
export interface QuantisedTensor {
  /** [chunks, k] ascending within a chunk. */
  readonly indices: Uint16Array;
  /** [chunks, k] */
  readonly codes: Uint8Array;
}

/** Bytes of every body of a model. */
export function bodyBytes(grids: readonly ChunkGrid[]): number {
  return grids.reduce((sum, { count, kept }) => sum + packedBytes(count * kept) + count * kept, QUANTISER_BYTES);
}

export function encodeBody(
  grids: readonly ChunkGrid[],
  quantiser: Quantiser,
  tensors: readonly QuantisedTensor[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bodyBytes(grids));
  const view = new DataView(bytes.buffer);
  view.setFloat32(0, quantiser.shift, true);
  view.setFloat32(4, quantiser.scale, true);
  quantiser.lookup.forEach((centre, i) => {
    view.setFloat32(AT_LOOKUP + 4 * i, centre, true);
  });
  let at = QUANTISER_BYTES;
  for (const { indices, codes } of tensors) {
    bytes.set(packIndices(indices), at);
    at += packedBytes(indices.length);
    bytes.set(codes, at);
    at += codes.length;
  }
  return bytes;
}

/**
 * Validates everything. The exact length is checked first, so no body makes the receiver allocate more than an honest
 * one does.
 *
 * @throws ProblemError `malformed-contribution`, `index-out-of-range` or `not-finite`
 */
export function decodeBody(grids: readonly ChunkGrid[], body: Uint8Array): SparseDelta {
  const expected = bodyBytes(grids);
  if (body.length !== expected) {
    throw new ProblemError(
      'malformed-contribution',
      `The body has ${body.length} bytes; this model's have ${expected}.`,
    );
  }
  const table = decodingTable(decodeQuantiser(body));
  if (!table.every(Number.isFinite)) {
    throw new ProblemError('not-finite', 'A code of the quantiser decodes to a value that is not finite.');
  }
  let at = QUANTISER_BYTES;
  const tensors = grids.map((grid) => {
    const kept = grid.count * grid.kept;
    const indices = decodeIndices(body.subarray(at, at + packedBytes(kept)), grid);
    at += packedBytes(kept);
    const values = Float32Array.from(body.subarray(at, at + kept), (code) => table[code]!);
    at += kept;
    return { indices, values };
  });
  return { tensors, body };
}

function decodeQuantiser(body: Uint8Array): Quantiser {
  const view = new DataView(body.buffer, body.byteOffset, QUANTISER_BYTES);
  const shift = view.getFloat32(0, true);
  const scale = view.getFloat32(4, true);
  const lookup = Float32Array.from({ length: BINS }, (_, i) => view.getFloat32(AT_LOOKUP + 4 * i, true));
  if (![shift, scale, ...lookup].every(Number.isFinite)) {
    throw new ProblemError('not-finite', 'The quantiser holds a value that is not finite.');
  }
  if (!(Math.abs(scale) >= MIN_SCALE && Math.abs(scale) <= MAX_SCALE)) {
    throw new ProblemError('malformed-contribution', `The quantiser's scale must lie in ${MIN_SCALE} … ${MAX_SCALE}.`);
  }
  return { shift, scale, lookup };
}

function decodeIndices(packed: Uint8Array, grid: ChunkGrid): Uint16Array<ArrayBuffer> {
  let indices: Uint16Array<ArrayBuffer>;
  try {
    indices = unpackIndices(packed, grid.count * grid.kept);
  } catch (cause) {
    throw new ProblemError('malformed-contribution', 'The padding of the indices must be zero.', { cause });
  }
  assertAscending(indices, grid);
  return indices;
}
