/**
 * The contributor's side of SparseLoCo (arXiv 2508.15706; reference: templar 2.1 neurons.py): local AdamW steps, and an
 * error feedback that keeps of their sum what was not sent. Every chunk's values are sent at unit length next to their
 * norm, so that one quantiser of few levels serves chunks of all sizes; the reference's serves a whole tensor, and loses
 * the signs of its quiet chunks.
 */
import { chunkRowStart, gatherChunk, type ChunkGrid } from '../../numerics/chunks.ts';
import { quantiseMidRise, type MidRiseQuantiser } from '../../numerics/mid-rise.ts';
import { topK } from '../../numerics/top-k.ts';
import type { SparseLocoParameters } from '../../protocol/manifest.ts';
import type { SchemeContributor } from '../scheme.ts';
import { adamStep, type AdamMoments } from './adamw.ts';
import { encodeBody, MIN_NORMAL, type QuantisedTensor } from './body.ts';
import { decodeState, encodeState, MAX_FEEDBACK, stateBytes } from './state.ts';

/** Chunks of a tensor before quantisation. */
interface ExtractedTensor {
  /** [chunks, k] */
  readonly indices: Uint16Array;
  /** [chunks] */
  readonly norms: Float32Array;
  /** [chunks, k] of unit length a chunk, or all zero. */
  readonly values: Float32Array;
}

/**
 * @param total parameters
 * @param grids the chunks of every tensor
 * @param innerLearningRate of a window's local steps
 */
export function createLocalContributor(
  total: number,
  grids: readonly ChunkGrid[],
  { inner, feedbackDecay, levels }: SparseLocoParameters,
  innerLearningRate: (window: number) => number,
): SchemeContributor {
  let moments: AdamMoments = { steps: 0, first: new Float32Array(total), second: new Float32Array(total) };
  let feedback = new Float32Array(total);
  /** Moves the feedback by what the receivers decode of the last message, times the sign. */
  let moveBySent: ((sign: 1 | -1) => void) | undefined;

  return {
    localStep(parameters, gradient, window) {
      adamStep(moments, parameters, gradient, inner, innerLearningRate(window));
    },

    compress(pseudoGradient) {
      accumulate(feedback, pseudoGradient, feedbackDecay);
      const extracted = grids.map((grid) => extract(feedback, grid));
      const { quantiser, tensors } = quantiseAll(extracted, levels);
      moveBySent = (sign) => {
        grids.forEach((grid, i) => addDecoded(feedback, grid, tensors[i]!, quantiser.lookup, sign));
      };
      moveBySent(-1);
      return encodeBody(grids, quantiser, tensors);
    },

    undo() {
      moveBySent?.(1);
      moveBySent = undefined;
    },

    stateBytes: stateBytes(total),

    saveState: () => encodeState({ ...moments, feedback }),

    loadState(bytes) {
      ({ feedback, ...moments } = decodeState(bytes, total));
      moveBySent = undefined;
    },
  };
}

/** e ← fround(β·e + Δ), or nothing at all when one of them would not be finite. */
function accumulate(feedback: Float32Array, delta: Float32Array, decay: number): void {
  if (delta.length !== feedback.length) {
    throw new RangeError(`a pseudo-gradient of ${delta.length} values for ${feedback.length} parameters`);
  }
  for (let i = 0; i < feedback.length; i++) {
    if (!(Math.abs(decay * feedback[i]! + delta[i]!) <= MAX_FEEDBACK)) {
      throw new RangeError(`the pseudo-gradient of parameter ${i} is not a number of sensible size: ${delta[i]!}`);
    }
  }
  for (let i = 0; i < feedback.length; i++) feedback[i] = decay * feedback[i]! + delta[i]!;
}

/** The largest values of every chunk, each chunk scaled to unit length. */
function extract(feedback: Float32Array, grid: ChunkGrid): ExtractedTensor {
  const { count, kept, length } = grid;
  const block = new Float32Array(length);
  const indices = new Uint16Array(count * kept);
  const values = new Float32Array(count * kept);
  const norms = new Float32Array(count);
  for (let chunk = 0; chunk < count; chunk++) {
    gatherChunk(feedback, grid, chunk, block);
    const largest = topK(block, kept);
    let squares = 0;
    for (const index of largest) squares += block[index]! * block[index]!;
    const norm = Math.fround(Math.sqrt(squares));
    const silent = norm < MIN_NORMAL;
    norms[chunk] = silent ? 0 : norm;
    largest.forEach((index, i) => {
      indices[chunk * kept + i] = silent ? i : index;
      if (!silent) values[chunk * kept + i] = block[index]! / norm;
    });
  }
  return { indices, norms, values };
}

/** Quantises the values of all live chunks together; a silent chunk's codes are 0. */
function quantiseAll(
  extracted: readonly ExtractedTensor[],
  levels: number,
): { quantiser: MidRiseQuantiser; tensors: QuantisedTensor[] } {
  const all = new Float32Array(extracted.reduce((sum, { values }) => sum + values.length, 0));
  let live = 0;
  for (const { norms, values } of extracted) {
    const kept = values.length / norms.length;
    norms.forEach((norm, chunk) => {
      if (norm === 0) return;
      all.set(values.subarray(chunk * kept, (chunk + 1) * kept), live);
      live += kept;
    });
  }
  const { codes: liveCodes, ...quantiser } = quantiseMidRise(all.subarray(0, live), levels);
  let next = 0;
  const tensors = extracted.map(({ indices, norms, values }) => {
    const kept = values.length / norms.length;
    const codes = new Uint8Array(values.length);
    norms.forEach((norm, chunk) => {
      if (norm === 0) return;
      codes.set(liveCodes.subarray(next, next + kept), chunk * kept);
      next += kept;
    });
    return { indices, norms, codes };
  });
  return { quantiser, tensors };
}

/** e ← fround(e ± what the receivers decode), so that quantisation errors are repaid too. */
function addDecoded(
  feedback: Float32Array,
  grid: ChunkGrid,
  { indices, norms, codes }: QuantisedTensor,
  lookup: Float32Array,
  sign: 1 | -1,
): void {
  const { kept, columns } = grid;
  norms.forEach((norm, chunk) => {
    if (norm === 0) return;
    for (let i = chunk * kept; i < (chunk + 1) * kept; i++) {
      const row = Math.floor(indices[i]! / columns);
      const at = chunkRowStart(grid, chunk, row) + indices[i]! - row * columns;
      feedback[at]! += sign * Math.fround(lookup[codes[i]!]! * norm);
    }
  });
}
