/**
 * How the bytes of every outer step begin. Little-endian: magic 4 bytes by kind of step, version u8, run 16 bytes, window
 * u32, scheme u8, learning rate f32, parameters u32.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ProblemError } from '../protocol/problem.ts';

const VERSION = 1;
const RUN_BYTES = 16;
const AT_VERSION = 4;
const AT_RUN = 5;
const AT_WINDOW = AT_RUN + RUN_BYTES;
const AT_SCHEME = AT_WINDOW + 4;
const AT_LEARNING_RATE = AT_SCHEME + 1;
const AT_TOTAL = AT_LEARNING_RATE + 4;
export const STEP_HEADER_BYTES = AT_TOTAL + 4;

/** Whose step it is. */
export interface StepAbout {
  /** Run id, 32 hex digits. */
  readonly run: string;
  readonly window: number;
  /** Number of the scheme on the wire. */
  readonly scheme: number;
  /** Parameters. */
  readonly total: number;
}

/** A refusal of bytes that are no outer step. */
export function notAStep(detail: string, options?: ErrorOptions): ProblemError {
  return new ProblemError('malformed-request', `Not an outer step: ${detail}.`, options);
}

/** Writes the header at the beginning of a step's bytes. @param magic four ASCII characters */
export function encodeStepHeader(bytes: Uint8Array, magic: string, about: StepAbout, learningRate: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.set(new TextEncoder().encode(magic));
  bytes[AT_VERSION] = VERSION;
  bytes.set(hexToBytes(about.run), AT_RUN);
  view.setUint32(AT_WINDOW, about.window, true);
  bytes[AT_SCHEME] = about.scheme;
  view.setFloat32(AT_LEARNING_RATE, learningRate, true);
  view.setUint32(AT_TOTAL, about.total, true);
}

/**
 * @returns the learning rate, which is what the header says and `about` does not
 * @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window`
 */
export function decodeStepHeader(bytes: Uint8Array, magic: string, about: StepAbout): number {
  const start = new TextEncoder().encode(magic);
  if (bytes.length < STEP_HEADER_BYTES || start.some((byte, i) => bytes[i] !== byte)) {
    throw notAStep('it does not start as one');
  }
  if (bytes[AT_VERSION] !== VERSION) throw notAStep('its version is unknown');
  if (bytesToHex(bytes.subarray(AT_RUN, AT_WINDOW)) !== about.run) {
    throw new ProblemError('wrong-run', 'The outer step is of another run.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const window = view.getUint32(AT_WINDOW, true);
  if (window !== about.window) {
    throw new ProblemError('wrong-window', `The outer step is of window ${window}, not ${about.window}.`);
  }
  if (bytes[AT_SCHEME] !== about.scheme) throw notAStep('its scheme is not the run’s');
  if (view.getUint32(AT_TOTAL, true) !== about.total) throw notAStep('it is of a model of another size');
  const learningRate = view.getFloat32(AT_LEARNING_RATE, true);
  if (!(learningRate > 0 && learningRate < Infinity)) throw notAStep('its learning rate is not a positive number');
  return learningRate;
}
