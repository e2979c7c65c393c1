/**
 * θ - step, for as long as it takes to measure it, in θ's own memory. Subtracting the step back would not restore θ:
 * fp32 addition rounds. What was touched is copied back from a vector that never changed.
 */
import { applyOuterStep, restoreStep } from '../../core/lockstep/outer-step.ts';
import type { OuterStep } from '../../core/scheme/scheme.ts';

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
export async function withTrialStep<T>(
  { live, base }: TrialModel,
  step: OuterStep,
  work: () => Promise<T>,
): Promise<T> {
  applyOuterStep(live, step);
  try {
    return await work();
  } finally {
    restoreStep(live, base, step);
  }
}
