/** Which check kept a contribution out, for summaries and pictures: nothing is decided here. */
import { CheckSchema, type Check, type Verdict } from '../protocol/api.ts';

const ORDER = new Map(CheckSchema.options.map((check, place) => [check, place]));

/**
 * The first check that failed, in the order in which checks are made; undefined when all passed.
 *
 * @param verdicts of one peer in one window, in any order
 */
export function stoppedBy(verdicts: readonly Pick<Verdict, 'check' | 'pass'>[]): Check | undefined {
  return verdicts
    .filter(({ pass }) => !pass)
    .map(({ check }) => check)
    .sort((a, b) => ORDER.get(a)! - ORDER.get(b)!)[0];
}
