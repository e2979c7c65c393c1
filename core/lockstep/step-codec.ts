/**
 * The canonical bytes of a sign step, so that a step has one hash: the header with magic "GNTS", then one bit a chunk
 * (touched; LSB first, in layout order), then one bit a parameter (1 where it decreases; 0 in untouched chunks).
 */
import { chunkRowStart, type ChunkGrid } from '../numerics/chunks.ts';
import { bitSet, hasBit, setBits } from './bits.ts';
import { parameterBytes } from './parameters.ts';
import type { SignStep } from './sign-step.ts';
import { decodeStepHeader, encodeStepHeader, notAStep, STEP_HEADER_BYTES, type StepAbout } from './step-header.ts';

const MAGIC = 'GNTS';

/** What the bytes of a step depend on besides the step. */
export interface StepContext extends StepAbout {
  /** The chunks of every tensor, in layout order. */
  readonly grids: readonly ChunkGrid[];
}

/** Marks every parameter of a chunk as touched. */
export function touchChunk(touched: Uint32Array, grid: ChunkGrid, chunk: number): void {
  for (let row = 0; row < grid.rows; row++) setBits(touched, chunkRowStart(grid, chunk, row), grid.columns);
}

/** Bytes of every step of a model. */
export function signStepBytes(context: Pick<StepContext, 'total' | 'grids'>): number {
  return STEP_HEADER_BYTES + Math.ceil(chunkCount(context.grids) / 8) + Math.ceil(context.total / 8);
}

/**
 * A chunk is touched when its first parameter is.
 *
 * @throws RangeError when the step is of another number of parameters
 */
export function encodeSignStep(step: SignStep, context: StepContext): Uint8Array<ArrayBuffer> {
  const { total, grids } = context;
  if (step.total !== total) throw new RangeError(`a step of ${step.total} parameters, not ${total}`);
  const bytes = new Uint8Array(signStepBytes(context));
  encodeStepHeader(bytes, MAGIC, context, step.learningRate);

  let mark = 0;
  for (const grid of grids) {
    for (let chunk = 0; chunk < grid.count; chunk++, mark++) {
      if (hasBit(step.touched, chunkRowStart(grid, chunk, 0)))
        bytes[STEP_HEADER_BYTES + (mark >>> 3)]! |= 1 << (mark & 7);
    }
  }
  const signs = wordBytes(step.descend.map((word, i) => word & step.touched[i]!));
  bytes.set(signs.subarray(0, Math.ceil(total / 8)), STEP_HEADER_BYTES + Math.ceil(mark / 8));
  return bytes;
}

/**
 * The inverse; accepts exactly what `encodeSignStep` writes.
 *
 * @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window`
 */
export function decodeSignStep(bytes: Uint8Array, context: StepContext): SignStep {
  const { total, grids } = context;
  const learningRate = decodeStepHeader(bytes, MAGIC, context);
  if (bytes.length !== signStepBytes(context)) throw notAStep('its length is not that of the model’s steps');

  const touched = bitSet(total);
  let mark = 0;
  for (const grid of grids) {
    for (let chunk = 0; chunk < grid.count; chunk++, mark++) {
      if ((bytes[STEP_HEADER_BYTES + (mark >>> 3)]! >>> (mark & 7)) & 1) touchChunk(touched, grid, chunk);
    }
  }
  const signsStart = STEP_HEADER_BYTES + Math.ceil(mark / 8);
  if (mark % 8 !== 0 && bytes[signsStart - 1]! >>> (mark % 8) !== 0) throw notAStep('its padding is not zero');
  const descend = bitSet(total);
  wordBytes(descend).set(bytes.subarray(signsStart));
  if (descend.some((word, i) => (word & ~touched[i]!) !== 0))
    throw notAStep('it moves a parameter of an untouched chunk');
  return { kind: 'sign', learningRate, total, descend, touched };
}

function chunkCount(grids: readonly ChunkGrid[]): number {
  return grids.reduce((sum, grid) => sum + grid.count, 0);
}

/** The little-endian bytes of the words, without a copy. */
function wordBytes(words: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return parameterBytes(new Float32Array(words.buffer));
}
