/** Taking an outer step of either kind, and taking it back. */
import { applySignStep, type SignStep } from './sign-step.ts';
import { applySparseStep, type SparseStep } from './sparse-step.ts';

const WORD_BITS = 32;

/** θ ← θ - step, in place, by the lockstep rule. @throws RangeError when the step is of another number of parameters */
export function applyOuterStep(parameters: Float32Array, step: SignStep | SparseStep): void {
  if (step.kind === 'sign') applySignStep(parameters, step);
  else applySparseStep(parameters, step);
}

/**
 * Copies what a step moved back from a vector that did not take it: fp32 addition rounds, so adding the step back would
 * not do.
 */
export function restoreStep(parameters: Float32Array, base: Float32Array, step: SignStep | SparseStep): void {
  if (step.kind === 'sparse') {
    for (const at of step.positions) parameters[at] = base[at]!;
    return;
  }
  // Runs of words that hold a touched parameter; what else lies in them is equal already.
  const { touched } = step;
  for (let word = 0; word < touched.length; word++) {
    if (touched[word] === 0) continue;
    const start = word * WORD_BITS;
    while (word < touched.length && touched[word] !== 0) word++;
    parameters.set(base.subarray(start, word * WORD_BITS), start);
  }
}
