/**
 * The contributor's side of decoupled momentum (DeMo, arXiv 2411.19870; reference: templar neurons.py): a momentum that
 * keeps what was not sent. Values are normalised to unit length a chunk before they are quantised, since the receiver
 * normalises anyway; one quantiser then serves the whole message.
 */
import { parameterBytes } from '../../lockstep/parameters.ts';
import { chunkRowStart, gatherChunk, type ChunkGrid } from '../../numerics/chunks.ts';
import { createBlockTransform } from '../../numerics/dct.ts';
import { binOf, decodingTable, quantise, type Quantiser } from '../../numerics/quantise.ts';
import { topK } from '../../numerics/top-k.ts';
import type { SchemeContributor } from '../scheme.ts';
import { BINS, encodeBody, type QuantisedTensor } from './body.ts';
import { AT_MOMENTUM, decodeState, MAX_MOMENTUM, stateBytes, zeroState } from './state.ts';

/** Chunks of a tensor before quantisation. */
interface ExtractedTensor {
  /** [chunks, k] */
  readonly indices: Uint16Array;
  /** [chunks, k] of unit length a chunk, or all zero. */
  readonly values: Float32Array;
  /** [chunks] length that was divided by, 0 for a silent chunk. */
  readonly norms: Float64Array;
}

/**
 * @param total parameters
 * @param grids the chunks of every tensor
 * @param decay β of the momentum
 */
export function createMomentumContributor(
  total: number,
  grids: readonly ChunkGrid[],
  decay: number,
): SchemeContributor {
  let momentum = new Float32Array(total);
  /** Moves the momentum by what the receivers decode of the last message, times the sign. */
  let moveBySent: ((sign: 1 | -1) => void) | undefined;

  return {
    compress(gradient, learningRate) {
      accumulate(momentum, gradient, decay, learningRate);
      const extracted = grids.map((grid) => extract(momentum, grid));
      const { quantiser, tensors } = quantiseAll(extracted);
      const table = decodingTable(quantiser);
      moveBySent = (sign) => {
        grids.forEach((grid, i) => {
          addDecoded(momentum, grid, tensors[i]!, extracted[i]!.norms, table, sign);
        });
      };
      moveBySent(-1);
      return encodeBody(grids, quantiser, tensors);
    },

    undo() {
      moveBySent?.(1);
      moveBySent = undefined;
    },

    stateBytes: stateBytes(total),

    saveState() {
      const bytes = zeroState(total);
      bytes.set(parameterBytes(momentum), AT_MOMENTUM);
      return bytes;
    },

    loadState(bytes) {
      momentum = decodeState(bytes, total);
      moveBySent = undefined;
    },
  };
}

/** e ← fround(β·e + η·g), or nothing at all when one of them would not be finite. */
function accumulate(momentum: Float32Array, gradient: Float32Array, decay: number, learningRate: number): void {
  if (gradient.length !== momentum.length) {
    throw new RangeError(`a gradient of ${gradient.length} values for ${momentum.length} parameters`);
  }
  for (let i = 0; i < momentum.length; i++) {
    if (!(Math.abs(decay * momentum[i]! + learningRate * gradient[i]!) <= MAX_MOMENTUM)) {
      throw new RangeError(`the gradient of parameter ${i} is not a finite number of sensible size: ${gradient[i]!}`);
    }
  }
  for (let i = 0; i < momentum.length; i++) momentum[i] = decay * momentum[i]! + learningRate * gradient[i]!;
}

/** The largest coefficients of every chunk, each chunk scaled to unit length. */
function extract(momentum: Float32Array, grid: ChunkGrid): ExtractedTensor {
  const { count, kept, length } = grid;
  const transform = createBlockTransform(grid.rows, grid.columns);
  const block = new Float32Array(length);
  const indices = new Uint16Array(count * kept);
  const values = new Float32Array(count * kept);
  const norms = new Float64Array(count);
  for (let chunk = 0; chunk < count; chunk++) {
    gatherChunk(momentum, grid, chunk, block);
    transform.forward(block, block);
    const largest = topK(block, kept);
    let squares = 0;
    for (const index of largest) squares += block[index]! * block[index]!;
    const norm = Math.sqrt(squares);
    norms[chunk] = norm;
    indices.set(largest, chunk * kept);
    if (norm === 0) continue;
    largest.forEach((index, i) => {
      values[chunk * kept + i] = block[index]! / norm;
    });
  }
  return { indices, values, norms };
}

/**
 * Quantises the values of all tensors together. The reference's quantiser has no exact zero, and a silent chunk must
 * stay silent: where there are zeros, the bin that zero falls in decodes to exactly zero.
 */
function quantiseAll(extracted: readonly ExtractedTensor[]): { quantiser: Quantiser; tensors: QuantisedTensor[] } {
  const all = new Float32Array(extracted.reduce((sum, { values }) => sum + values.length, 0));
  let at = 0;
  for (const { values } of extracted) {
    all.set(values, at);
    at += values.length;
  }
  const live = all.filter((value) => value !== 0);
  const { codes: liveCodes, ...quantiser } = quantise(live, BINS);
  const zeroCode = binOf(0, quantiser);
  if (live.length < all.length) quantiser.lookup[zeroCode] = 0 - quantiser.shift;

  let next = 0;
  const tensors = extracted.map(({ indices, values }) => ({
    indices,
    codes: Uint8Array.from(values, (value) => (value === 0 ? zeroCode : liveCodes[next++]!)),
  }));
  return { quantiser, tensors };
}

/** e ← fround(e ± what the receivers decode, at the length it had), so that quantisation errors are repaid too. */
function addDecoded(
  momentum: Float32Array,
  grid: ChunkGrid,
  { indices, codes }: QuantisedTensor,
  norms: Float64Array,
  table: Float32Array,
  sign: 1 | -1,
): void {
  const { count, kept, rows, columns } = grid;
  const transform = createBlockTransform(rows, columns);
  const block = new Float32Array(grid.length);
  for (let chunk = 0; chunk < count; chunk++) {
    const norm = norms[chunk]!;
    if (norm === 0) continue;
    block.fill(0);
    for (let i = chunk * kept; i < (chunk + 1) * kept; i++) block[indices[i]!] = sign * table[codes[i]!]! * norm;
    transform.inverse(block, block);
    for (let row = 0; row < rows; row++) {
      const start = chunkRowStart(grid, chunk, row);
      for (let column = 0; column < columns; column++) momentum[start + column]! += block[row * columns + column]!;
    }
  }
}
