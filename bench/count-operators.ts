/** How large a graph is, as a number that does not depend on the machine. */
import { reachable, type Value } from '../engine/graph/ir.ts';

/** Values that are computed; further results of an operator are not counted again. */
export function countOperators(outputs: Readonly<Record<string, Value>>): number {
  const given = new Set(['input', 'constant', 'Part']);
  return reachable(Object.values(outputs)).filter(({ operator }) => !given.has(operator.kind)).length;
}
