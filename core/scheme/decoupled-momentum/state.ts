/**
 * A contributor's saved state, the same whether it was kept in memory or on a GPU. Little-endian: "GNTM", version u32,
 * parameters u32, then the momentum as fp32 in layout order.
 */
import { parametersFromBytes } from '../../lockstep/parameters.ts';

const MAGIC = new TextEncoder().encode('GNTM');
const VERSION = 1;

/** Where the momentum begins. */
export const AT_MOMENTUM = 12;

/** Far above any momentum of a model that still learns, and far enough from the largest fp32 to transform safely. */
export const MAX_MOMENTUM = 1e30;

/** Bytes of the state of so many parameters. */
export function stateBytes(total: number): number {
  return AT_MOMENTUM + 4 * total;
}

/** The state whose momentum is zero, for the caller to fill in from `AT_MOMENTUM` on. */
export function zeroState(total: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stateBytes(total));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, total, true);
  return bytes;
}

/**
 * The momentum of a state, as a copy.
 *
 * @param total parameters of the model
 * @throws RangeError when the bytes are not a state of that many finite parameters
 */
export function decodeState(bytes: Uint8Array, total: number): Float32Array<ArrayBuffer> {
  if (bytes.length !== stateBytes(total) || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new RangeError('the bytes are not a momentum of this model');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== VERSION || view.getUint32(8, true) !== total) {
    throw new RangeError('the momentum is of another version or model');
  }
  const momentum = parametersFromBytes(bytes.subarray(AT_MOMENTUM));
  if (!momentum.every((value) => Math.abs(value) <= MAX_MOMENTUM)) {
    throw new RangeError('the momentum holds a value that is not finite');
  }
  return momentum;
}
