/** A validator's ports that say nothing, in benchmarks. */
import type { Log, Metrics } from '../../validator/rounds/ports.ts';

export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const unmeasured: Metrics = {
  accepted: () => undefined,
  refused: () => undefined,
  judged: () => undefined,
  judgeFailed: () => undefined,
};
