/** What became of contributions, counted for the picture: one column a window, or a span of windows where these are many. */
import type { Check, WindowSummary } from '../../../core/protocol/api.ts';
import { FAMILIES, familyOf, type FamilyId } from '../checks.ts';

export interface Column {
  /** First and last window. */
  readonly from: number;
  readonly to: number;
  readonly aggregated: number;
  /** Passed every check and were not folded in. */
  readonly passed: number;
  readonly caught: Readonly<Record<FamilyId, number>>;
  readonly total: number;
}

const nothingCaught = (): Record<FamilyId, number> =>
  Object.fromEntries(FAMILIES.map(({ id }) => [id, 0])) as Record<FamilyId, number>;

/** @param windows at least one, ascending */
function columnOf(windows: readonly WindowSummary[]): Column {
  const caught = nothingCaught();
  let [aggregated, delivered, total] = [0, 0, 0];
  for (const row of windows) {
    aggregated += row.aggregated;
    delivered += row.participants ?? 0;
    for (const [check, count] of Object.entries(row.caught)) caught[familyOf(check as Check).id] += count;
  }
  total = Object.values(caught).reduce((sum, count) => sum + count, aggregated);
  // Peers whose every upload was refused are caught and not among the participants, so this may fall short of them.
  const passed = Math.max(0, delivered - total);
  return { from: windows[0]!.window, to: windows.at(-1)!.window, aggregated, passed, caught, total: total + passed };
}

/** At most `most` columns of equally many windows each, the last one maybe of fewer. @param windows ascending */
export function columnsOf(windows: readonly WindowSummary[], most: number): Column[] {
  const each = Math.max(1, Math.ceil(windows.length / most));
  const columns: Column[] = [];
  for (let start = 0; start < windows.length; start += each) columns.push(columnOf(windows.slice(start, start + each)));
  return columns;
}

export interface Totals {
  readonly caught: number;
  readonly aggregated: number;
  /** Nats a token that evaluated contributions would have raised the loss by and that were kept out. */
  readonly keptOut: number;
}

export function totalsOf(windows: readonly WindowSummary[]): Totals {
  let [caught, aggregated, keptOut] = [0, 0, 0];
  for (const row of windows) {
    for (const count of Object.values(row.caught)) caught += count;
    aggregated += row.aggregated;
    keptOut += row.keptOut ?? 0;
  }
  return { caught, aggregated, keptOut };
}
