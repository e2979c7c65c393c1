/**
 * θ - step, for as long as it takes to measure it, in θ's own memory. Subtracting the step back would not restore θ:
 * fp32 addition rounds. What was touched is copied back from a vector that never changed.
 */
import { applySignStep, type SignStep } from '../../core/lockstep/sign-step.ts';

const WORD_BITS = 32;

export interface TrialModel {
  /** θ where the evaluator reads it; the same bits before and after a trial. */
  readonly live: Float32Array;
  /** θ again; never written to. */
  readonly base: Float32Array;
}

/**
 * Does `work` while the live parameters are θ - step, and restores them bit for bit however it ends.
 *
 * @throws RangeError when the step is of another number of parameters; whatever `work` throws
 */
export async function withTrialStep<T>({ live, base }: TrialModel, step: SignStep, work: () => Promise<T>): Promise<T> {
  applySignStep(live, step);
  try {
    return await work();
  } finally {
    restore(live, base, step.touched);
  }
}

/** Copies runs of words that hold a touched parameter; what else lies in them is equal already. */
function restore(live: Float32Array, base: Float32Array, touched: Uint32Array): void {
  for (let word = 0; word < touched.length; word++) {
    if (touched[word] === 0) continue;
    const start = word * WORD_BITS;
    while (word < touched.length && touched[word] !== 0) word++;
    live.set(base.subarray(start, word * WORD_BITS), start);
  }
}
