/**
 * The canonical bytes of a sign step, so that a step has one hash. Little-endian:
 * magic "GNTS", version u8, run 16 bytes, window u32, scheme u8, learning rate f32, parameters u32, then one bit a
 * chunk (touched; LSB first, in layout order), then one bit a parameter (1 where it decreases; 0 in untouched chunks).
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { chunkRowStart, type ChunkGrid } from '../numerics/chunks.ts';
import { ProblemError } from '../protocol/problem.ts';
import { bitSet, hasBit, setBits } from './bits.ts';
import { parameterBytes } from './parameters.ts';
import type { SignStep } from './sign-step.ts';

const MAGIC = new TextEncoder().encode('GNTS');
const VERSION = 1;
const RUN_BYTES = 16;
const AT_VERSION = 4;
const AT_RUN = 5;
const AT_WINDOW = AT_RUN + RUN_BYTES;
const AT_SCHEME = AT_WINDOW + 4;
const AT_LEARNING_RATE = AT_SCHEME + 1;
const AT_TOTAL = AT_LEARNING_RATE + 4;
const HEADER_BYTES = AT_TOTAL + 4;

/** What the bytes of a step depend on besides the step. */
export interface StepContext {
  /** Run id, 32 hex digits. */
  readonly run: string;
  readonly window: number;
  /** Number of the scheme on the wire. */
  readonly scheme: number;
  /** Parameters. */
  readonly total: number;
  /** The chunks of every tensor, in layout order. */
  readonly grids: readonly ChunkGrid[];
}

/** Marks every parameter of a chunk as touched. */
export function touchChunk(touched: Uint32Array, grid: ChunkGrid, chunk: number): void {
  for (let row = 0; row < grid.rows; row++) setBits(touched, chunkRowStart(grid, chunk, row), grid.columns);
}

/** Bytes of every step of a model. */
export function signStepBytes(context: Pick<StepContext, 'total' | 'grids'>): number {
  return HEADER_BYTES + Math.ceil(chunkCount(context.grids) / 8) + Math.ceil(context.total / 8);
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
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[AT_VERSION] = VERSION;
  bytes.set(hexToBytes(context.run), AT_RUN);
  view.setUint32(AT_WINDOW, context.window, true);
  bytes[AT_SCHEME] = context.scheme;
  view.setFloat32(AT_LEARNING_RATE, step.learningRate, true);
  view.setUint32(AT_TOTAL, total, true);

  let mark = 0;
  for (const grid of grids) {
    for (let chunk = 0; chunk < grid.count; chunk++, mark++) {
      if (hasBit(step.touched, chunkRowStart(grid, chunk, 0))) bytes[HEADER_BYTES + (mark >>> 3)]! |= 1 << (mark & 7);
    }
  }
  const signs = wordBytes(step.descend.map((word, i) => word & step.touched[i]!));
  bytes.set(signs.subarray(0, Math.ceil(total / 8)), HEADER_BYTES + Math.ceil(mark / 8));
  return bytes;
}

/**
 * The inverse; accepts exactly what `encodeSignStep` writes.
 *
 * @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window`
 */
export function decodeSignStep(bytes: Uint8Array, context: StepContext): SignStep {
  const { total, grids } = context;
  const refuse = (detail: string): ProblemError =>
    new ProblemError('malformed-request', `Not an outer step: ${detail}.`);
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw refuse('it does not start as one');
  if (bytes[AT_VERSION] !== VERSION) throw refuse('its version is unknown');
  if (bytesToHex(bytes.subarray(AT_RUN, AT_WINDOW)) !== context.run) {
    throw new ProblemError('wrong-run', 'The outer step is of another run.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const window = view.getUint32(AT_WINDOW, true);
  if (window !== context.window) {
    throw new ProblemError('wrong-window', `The outer step is of window ${window}, not ${context.window}.`);
  }
  if (bytes[AT_SCHEME] !== context.scheme) throw refuse('its scheme is not the run’s');
  if (view.getUint32(AT_TOTAL, true) !== total) throw refuse('it is of a model of another size');
  if (bytes.length !== signStepBytes(context)) throw refuse('its length is not that of the model’s steps');
  const learningRate = view.getFloat32(AT_LEARNING_RATE, true);
  if (!(learningRate > 0 && learningRate < Infinity)) throw refuse('its learning rate is not a positive number');

  const touched = bitSet(total);
  let mark = 0;
  for (const grid of grids) {
    for (let chunk = 0; chunk < grid.count; chunk++, mark++) {
      if ((bytes[HEADER_BYTES + (mark >>> 3)]! >>> (mark & 7)) & 1) touchChunk(touched, grid, chunk);
    }
  }
  const signsStart = HEADER_BYTES + Math.ceil(mark / 8);
  if (mark % 8 !== 0 && bytes[signsStart - 1]! >>> (mark % 8) !== 0) throw refuse('its padding is not zero');
  const descend = bitSet(total);
  wordBytes(descend).set(bytes.subarray(signsStart));
  if (descend.some((word, i) => (word & ~touched[i]!) !== 0))
    throw refuse('it moves a parameter of an untouched chunk');
  return { kind: 'sign', learningRate, total, descend, touched };
}

function chunkCount(grids: readonly ChunkGrid[]): number {
  return grids.reduce((sum, grid) => sum + grid.count, 0);
}

/** The little-endian bytes of the words, without a copy. */
function wordBytes(words: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return parameterBytes(new Float32Array(words.buffer));
}
