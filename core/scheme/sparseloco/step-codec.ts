/**
 * The canonical bytes of a sparse step: the header of every step with magic "GNTP", how many contributions it is made of
 * as u16, and their bodies. Coordinates with their values would be several times as long as soon as a few peers are
 * aggregated; receivers make the same step of the bodies.
 */
import {
  decodeStepHeader,
  encodeStepHeader,
  notAStep,
  STEP_HEADER_BYTES,
  type StepAbout,
} from '../../lockstep/step-header.ts';
import type { SparseStep } from '../../lockstep/sparse-step.ts';

const MAGIC = 'GNTP';
const AT_BODIES = STEP_HEADER_BYTES + 2;

/** Bytes of a step of so many contributions. */
export function sparseStepBytes(contributions: number, bodyBytes: number): number {
  return AT_BODIES + contributions * bodyBytes;
}

/** @throws RangeError when the step is of another number of parameters */
export function encodeSparseStep(step: SparseStep, bodyBytes: number, about: StepAbout): Uint8Array<ArrayBuffer> {
  if (step.total !== about.total) throw new RangeError(`a step of ${step.total} parameters, not ${about.total}`);
  const bytes = new Uint8Array(sparseStepBytes(step.bodies.length, bodyBytes));
  encodeStepHeader(bytes, MAGIC, about, step.learningRate);
  new DataView(bytes.buffer).setUint16(STEP_HEADER_BYTES, step.bodies.length, true);
  step.bodies.forEach((body, i) => bytes.set(body, AT_BODIES + i * bodyBytes));
  return bytes;
}

/**
 * What a step is made of; the bodies are not looked into.
 *
 * @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window`
 */
export function decodeSparseStep(
  bytes: Uint8Array,
  bodyBytes: number,
  about: StepAbout,
): { readonly learningRate: number; readonly bodies: readonly Uint8Array[] } {
  const learningRate = decodeStepHeader(bytes, MAGIC, about);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const contributions = bytes.length < AT_BODIES ? -1 : view.getUint16(STEP_HEADER_BYTES, true);
  if (bytes.length !== sparseStepBytes(contributions, bodyBytes)) {
    throw notAStep('its length is not that of its contributions');
  }
  const bodies = Array.from({ length: contributions }, (_, i) =>
    bytes.subarray(AT_BODIES + i * bodyBytes, AT_BODIES + (i + 1) * bodyBytes),
  );
  return { learningRate, bodies };
}
