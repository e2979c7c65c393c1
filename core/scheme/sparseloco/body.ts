/**
 * The body of a contribution of SparseLoCo. Little-endian: the width of the quantiser's bins f32, its table levels x f32,
 * the Euclidean norm of every chunk's kept values f32, all tensors in layout order; then for each tensor the Elias-Fano
 * codes of its chunks' indices, each padded to whole bytes, none where a chunk is sent whole; then its values' codes of
 * log2(levels) bits, padded to whole bytes. Shapes are not in it: both sides derive them from the model.
 */
import { codeBytes, packCodes, unpackCodes } from '../../numerics/bit-stream.ts';
import type { ChunkGrid } from '../../numerics/chunks.ts';
import { decodeEliasFano, eliasFanoBytes, encodeEliasFano } from '../../numerics/elias-fano.ts';
import type { MidRiseQuantiser } from '../../numerics/mid-rise.ts';
import { MAX_SCALE, MIN_SCALE } from '../../numerics/quantise.ts';
import type { SparseLocoParameters } from '../../protocol/manifest.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { assertAscending } from '../ascending.ts';
import type { SparseDelta } from '../scheme.ts';

export type Levels = SparseLocoParameters['levels'];

const AT_LOOKUP = 4;
/** A chunk's values are sent at unit length, so an honest table's are at most 1 but for rounding. */
const MAX_CENTRE = 2;
/** Far above any honest norm; 64 times the largest value that a contributor's feedback may have. */
export const MAX_NORM = 1e30;
/** Smallest normal fp32 magnitude. */
export const MIN_NORMAL = 2 ** -126;

/** The kept values of a tensor, quantised. */
export interface QuantisedTensor {
  /** [chunks, k] ascending within a chunk; 0 … k - 1 in a silent one. */
  readonly indices: Uint16Array;
  /** [chunks] fp32 norms, 0 for a silent chunk. */
  readonly norms: Float32Array;
  /** [chunks, k]; 0 in a silent chunk. */
  readonly codes: Uint8Array;
}

/** Where the parts of a body begin, in bytes. */
export interface BodyLayout {
  readonly norms: number;
  /** In layout order. */
  readonly tensors: readonly {
    readonly indices: number;
    /** Bytes of a chunk's indices, 0 where chunks are sent whole. */
    readonly indexBytes: number;
    readonly codes: number;
    readonly codeBytes: number;
  }[];
  /** Of the whole. */
  readonly bytes: number;
}

export function bodyLayout(grids: readonly ChunkGrid[], levels: Levels): BodyLayout {
  const norms = AT_LOOKUP + 4 * levels;
  let at = norms + 4 * grids.reduce((sum, { count }) => sum + count, 0);
  const tensors = grids.map(({ count, kept, length }) => {
    const indices = at;
    const indexBytes = kept === length ? 0 : eliasFanoBytes(length, kept);
    const codes = indices + count * indexBytes;
    const bytes = codeBytes(count * kept, Math.log2(levels));
    at = codes + bytes;
    return { indices, indexBytes, codes, codeBytes: bytes };
  });
  return { norms, tensors, bytes: at };
}

export function encodeBody(
  grids: readonly ChunkGrid[],
  quantiser: MidRiseQuantiser,
  tensors: readonly QuantisedTensor[],
): Uint8Array<ArrayBuffer> {
  const levels = quantiser.lookup.length as Levels;
  const layout = bodyLayout(grids, levels);
  const bytes = new Uint8Array(layout.bytes);
  const view = new DataView(bytes.buffer);
  view.setFloat32(0, quantiser.scale, true);
  quantiser.lookup.forEach((centre, i) => view.setFloat32(AT_LOOKUP + 4 * i, centre, true));
  let atNorm = layout.norms;
  grids.forEach(({ count, kept, length }, i) => {
    const { indices, norms, codes } = tensors[i]!;
    const place = layout.tensors[i]!;
    for (const norm of norms) {
      view.setFloat32(atNorm, norm, true);
      atNorm += 4;
    }
    if (kept < length) {
      for (let chunk = 0; chunk < count; chunk++) {
        const chunkIndices = indices.subarray(chunk * kept, (chunk + 1) * kept);
        bytes.set(encodeEliasFano(chunkIndices, length), place.indices + chunk * place.indexBytes);
      }
    }
    bytes.set(packCodes(codes, Math.log2(levels)), place.codes);
  });
  return bytes;
}

/**
 * Validates everything. The exact length is checked first, so no body makes the receiver allocate more than an honest
 * one does.
 *
 * @throws ProblemError `malformed-contribution`, `index-out-of-range` or `not-finite`
 */
export function decodeBody(grids: readonly ChunkGrid[], levels: Levels, body: Uint8Array): SparseDelta {
  const layout = bodyLayout(grids, levels);
  if (body.length !== layout.bytes) {
    throw malformed(`The body has ${body.length} bytes; this model's have ${layout.bytes}.`);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const lookup = decodeLookup(view, levels);
  let atNorm = layout.norms;
  const tensors = grids.map((grid, i) => {
    const place = layout.tensors[i]!;
    const norms = Float32Array.from({ length: grid.count }, (_, chunk) => decodeNorm(view, atNorm + 4 * chunk));
    atNorm += 4 * grid.count;
    const indices = decodeIndices(body.subarray(place.indices, place.codes), place.indexBytes, grid);
    const codes = canonical(() =>
      unpackCodes(body.subarray(place.codes, place.codes + place.codeBytes), grid.count * grid.kept, Math.log2(levels)),
    );
    assertSilence(grid, norms, indices, codes);
    const values = new Float32Array(codes.length);
    norms.forEach((norm, chunk) => {
      if (norm === 0) return;
      for (let j = chunk * grid.kept; j < (chunk + 1) * grid.kept; j++) values[j] = lookup[codes[j]!]! * norm;
    });
    return { indices, values };
  });
  return { tensors, body };
}

function malformed(detail: string, options?: ErrorOptions): ProblemError {
  return new ProblemError('malformed-contribution', detail, options);
}

/** What a decoder of numbers refuses is not the one form of a message. */
function canonical<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw malformed('The body is not in canonical form.', { cause });
  }
}

/** The scale is not needed to decode; it must be sensible all the same, so that a message has few forms. */
function decodeLookup(view: DataView, levels: Levels): Float32Array {
  const scale = view.getFloat32(0, true);
  const lookup = Float32Array.from({ length: levels }, (_, i) => view.getFloat32(AT_LOOKUP + 4 * i, true));
  if (![scale, ...lookup].every(Number.isFinite)) {
    throw new ProblemError('not-finite', 'The quantiser holds a value that is not finite.');
  }
  if (!(scale >= MIN_SCALE && scale <= MAX_SCALE)) {
    throw malformed(`The quantiser's scale must lie in ${MIN_SCALE} … ${MAX_SCALE}.`);
  }
  if (!lookup.every((centre) => Math.abs(centre) <= MAX_CENTRE)) {
    throw malformed(`The quantiser's table must lie in ±${MAX_CENTRE}: chunks are sent at unit length.`);
  }
  return lookup;
}

function decodeNorm(view: DataView, at: number): number {
  const norm = view.getFloat32(at, true);
  if (!Number.isFinite(norm)) throw new ProblemError('not-finite', 'The norm of a chunk is not finite.');
  if (!Object.is(norm, 0) && !(norm >= MIN_NORMAL && norm <= MAX_NORM)) {
    throw malformed(`The norm of a chunk is 0 or lies in ${MIN_NORMAL} … ${MAX_NORM}, not ${norm}.`);
  }
  return norm;
}

/** @param bytes codes of all chunks, none where chunks are sent whole */
function decodeIndices(bytes: Uint8Array, indexBytes: number, grid: ChunkGrid): Uint16Array {
  const { count, kept, length } = grid;
  const indices = new Uint16Array(count * kept);
  if (indexBytes === 0) return indices.map((_, i) => i % kept);
  for (let chunk = 0; chunk < count; chunk++) {
    const code = bytes.subarray(chunk * indexBytes, (chunk + 1) * indexBytes);
    indices.set(
      canonical(() => decodeEliasFano(code, length, kept)),
      chunk * kept,
    );
  }
  assertAscending(indices, grid);
  return indices;
}

/** A silent chunk says nothing in one way. */
function assertSilence({ kept }: ChunkGrid, norms: Float32Array, indices: Uint16Array, codes: Uint8Array): void {
  norms.forEach((norm, chunk) => {
    if (norm !== 0) return;
    for (let i = 0; i < kept; i++) {
      if (indices[chunk * kept + i] !== i || codes[chunk * kept + i] !== 0) {
        throw malformed('A chunk of norm 0 must have its first indices and codes of 0.');
      }
    }
  });
}
