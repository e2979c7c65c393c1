/**
 * Parameters that are multiplied by the same input lie one after another in the flat vector, and row under row: queries,
 * keys and values; gate and up. As one matrix they are one product instead of three, with nothing copied.
 */
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout, type ParameterSpec } from '../../core/model/layout.ts';

export interface ParameterGroup {
  readonly name: string;
  /** [n] or [rows of all members, columns]. */
  readonly shape: readonly number[];
  /** First element in the flat vector. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
  /** In layout order, without gaps. */
  readonly members: readonly ParameterSpec[];
}

/** By the endings of the members' names, the group's. */
const JOINED: readonly (readonly [RegExp, string])[] = [
  [/self_attn\.[qkv]_proj\.weight$/, 'self_attn.qkv_proj.weight'],
  [/mlp\.(gate|up)_proj\.weight$/, 'mlp.gate_up_proj.weight'],
];

function groupName(parameter: string): string {
  return JOINED.reduce((name, [members, joined]) => name.replace(members, joined), parameter);
}

/** The groups of a model in canonical order; together they are the flat vector. */
export function parameterGroups(config: ModelConfig): ParameterGroup[] {
  const groups = new Map<string, ParameterSpec[]>();
  for (const spec of parameterLayout(config).parameters) {
    const name = groupName(spec.name);
    groups.set(name, [...(groups.get(name) ?? []), spec]);
  }
  return [...groups].map(([name, members]) => {
    const { offset, shape } = members[0]!;
    const size = members.reduce((sum, member) => sum + member.size, 0);
    return { name, members, offset, size, shape: shape.length === 1 ? shape : [size / shape[1]!, shape[1]!] };
  });
}
