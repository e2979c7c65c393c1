/** The colour and the pattern of what became of a contribution: the pattern tells as much as the colour. */
import type { FamilyId } from '../checks.ts';
import './kinds.css';

export type Kind = 'aggregated' | 'passed' | FamilyId;

export function Swatch({ kind }: { kind: Kind }) {
  return <span className="kind-swatch" data-kind={kind} aria-hidden="true" />;
}
