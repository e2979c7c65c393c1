/** The learning rate over the windows of a run: linear warm-up, one cosine, flat (reference: templar miner.py). */
import { cosPi } from '../numerics/cosine.ts';
import type { DecoupledMomentumParameters } from '../protocol/manifest.ts';

/** What both schemes have: of the sign step, or of a contributor's local steps. */
type Schedule = Pick<DecoupledMomentumParameters, 'learningRate' | 'warmupWindows' | 'cosineWindows'>;

/** Where the warm-up starts and the cosine ends, as a part of the peak. */
const FLOOR = 0.1;

/**
 * η of a window, counted from 1: from 0.1 η linearly to η over `warmupWindows`, then along a cosine to 0.1 η over
 * `cosineWindows`, then 0.1 η.
 *
 * @returns an exact fp32 value, the same bits in every engine
 */
export function scheduledLearningRate(schedule: Schedule, window: number): number {
  const { learningRate, warmupWindows, cosineWindows } = schedule;
  const elapsed = Math.max(0, window - 1);
  if (elapsed < warmupWindows) return Math.fround(learningRate * (FLOOR + ((1 - FLOOR) * elapsed) / warmupWindows));
  const cooled = Math.min(elapsed - warmupWindows, cosineWindows);
  return Math.fround(learningRate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + cosPi(cooled, cosineWindows))));
}
