/** A window in one row, for charts: computed once when it is published. */
import { stoppedBy } from '../../core/gauntlet/stopped-by.ts';
import type { Check, Verdict, WindowRecord, WindowSummary } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';

/** A verdict and whom it is on. */
export interface PeerVerdict {
  readonly hotkey: string;
  readonly verdict: Verdict;
}

/** Verdicts by hotkey, in their order. */
export function byPeer(verdicts: readonly PeerVerdict[]): Map<string, Verdict[]> {
  const found = new Map<string, Verdict[]>();
  for (const { hotkey, verdict } of verdicts) {
    const known = found.get(hotkey);
    if (known) known.push(verdict);
    else found.set(hotkey, [verdict]);
  }
  return found;
}

/**
 * @param record of a published window
 * @param judged verdicts of the judge, of at least everybody who contributed
 * @param refusals verdicts on uploads that were refused; null where they were not kept
 */
export function summaryOf(
  record: WindowRecord,
  judged: readonly PeerVerdict[],
  refusals: readonly PeerVerdict[] | null,
  { model, data }: Pick<RunManifest, 'model' | 'data'>,
): WindowSummary {
  const { window, lossBefore, lossAfter, participants, contributions, evaluated, stateRoot, outerStep } = record;
  const verdictsOf = byPeer(judged);
  const aggregated = new Set(record.aggregated);
  const caught: Partial<Record<Check, number>> = {};
  const count = (check: Check): void => {
    caught[check] = (caught[check] ?? 0) + 1;
  };

  let pages = 0;
  for (const { hotkey, pagesTrained } of contributions) {
    const check = aggregated.has(hotkey) ? undefined : stoppedBy(verdictsOf.get(hotkey) ?? []);
    if (check) count(check);
    else pages += pagesTrained;
  }
  const delivered = new Set(contributions.map(({ hotkey }) => hotkey));
  for (const [hotkey, verdicts] of byPeer(refusals ?? [])) {
    const check = delivered.has(hotkey) ? undefined : stoppedBy(verdicts);
    if (check) count(check);
  }
  return {
    window,
    lossBefore,
    lossAfter,
    participants,
    aggregated: aggregated.size,
    stateRoot,
    outerStep,
    tokens: pages * data.pageSequences * model.contextLength,
    bytes: contributions.reduce((sum, { bytes }) => sum + bytes, 0),
    rejected: refusals && refusals.length,
    caught,
    evaluated: evaluated.length,
    keptOut: evaluated
      .filter(({ hotkey }) => !aggregated.has(hotkey))
      .reduce((sum, { random }) => sum + Math.max(0, random.after - random.before), 0),
  };
}
