/**
 * A contributor's saved state, the same whether it was kept in memory or on a GPU. Little-endian: "GNTL", version u32,
 * parameters u32, AdamW steps taken u32, then in layout order as fp32 AdamW's first moment, its second moment, and the
 * error feedback.
 */
import { parameterBytes, parametersFromBytes } from '../../lockstep/parameters.ts';
import { MAX_NORM } from './body.ts';

const MAGIC = new TextEncoder().encode('GNTL');
const VERSION = 1;
const AT_STEPS = 12;
/** Where the three vectors begin. */
export const AT_VECTORS = 16;

/** A norm of 64 x 64 values of this size can still be sent. */
export const MAX_FEEDBACK = MAX_NORM / 64;

export interface LocalState {
  /** AdamW steps taken. */
  readonly steps: number;
  readonly first: Float32Array<ArrayBuffer>;
  readonly second: Float32Array<ArrayBuffer>;
  readonly feedback: Float32Array<ArrayBuffer>;
}

/** Bytes of the state of so many parameters. */
export function stateBytes(total: number): number {
  return AT_VECTORS + 3 * 4 * total;
}

/** A state without its vectors, for the caller to fill in from `AT_VECTORS` on. */
export function stateHeader(total: number, steps: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stateBytes(total));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, total, true);
  view.setUint32(AT_STEPS, steps, true);
  return bytes;
}

export function encodeState({ steps, first, second, feedback }: LocalState): Uint8Array<ArrayBuffer> {
  const bytes = stateHeader(first.length, steps);
  [first, second, feedback].forEach((vector, i) => {
    bytes.set(parameterBytes(vector), AT_VECTORS + i * vector.byteLength);
  });
  return bytes;
}

/**
 * @param total parameters of the model
 * @returns copies
 * @throws RangeError when the bytes are not a state of that many finite parameters
 */
export function decodeState(bytes: Uint8Array, total: number): LocalState {
  if (bytes.length !== stateBytes(total) || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new RangeError('the bytes are not a local optimiser of this model');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== VERSION || view.getUint32(8, true) !== total) {
    throw new RangeError('the local optimiser is of another version or model');
  }
  const vector = (i: number): Float32Array<ArrayBuffer> =>
    parametersFromBytes(bytes.subarray(AT_VECTORS + 4 * total * i, AT_VECTORS + 4 * total * (i + 1)));
  const [first, second, feedback] = [vector(0), vector(1), vector(2)];
  if (
    !first.every(Number.isFinite) ||
    !second.every((value) => value >= 0 && value < Infinity) ||
    !feedback.every((value) => Math.abs(value) <= MAX_FEEDBACK)
  ) {
    throw new RangeError('the local optimiser holds a value that cannot be one of its own');
  }
  return { steps: view.getUint32(AT_STEPS, true), first, second, feedback };
}
