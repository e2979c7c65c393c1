/** For tests: the row of a window of which nothing is known. */
import type { WindowSummary } from '../api.ts';

export function windowSummary(window: number, known: Partial<WindowSummary> = {}): WindowSummary {
  return {
    window,
    lossBefore: null,
    lossAfter: null,
    participants: null,
    aggregated: 0,
    stateRoot: null,
    outerStep: null,
    tokens: null,
    bytes: null,
    rejected: null,
    caught: {},
    evaluated: null,
    keptOut: null,
    ...known,
  };
}
