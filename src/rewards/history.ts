/** A hotkey's figures over blocks: what the validator recorded, then what this page has seen. */
import type { ChainRecord } from '../../core/protocol/chain.ts';
import type { Sample } from './subnet-watch.ts';

export interface HistoryPoint {
  readonly block: number;
  readonly incentive: number;
  /** Alpha of the last epoch. */
  readonly emission: number;
  readonly rank: number | null;
  /** The validator's own weight for it then; null where it recorded none. */
  readonly gauntletWeight: number | null;
}

/** @returns ascending blocks; where both know a block, what this page read itself */
export function historyOf(
  hotkey: string,
  samples: readonly Sample[],
  records: readonly ChainRecord[],
): readonly HistoryPoint[] {
  const points = new Map<number, HistoryPoint>();
  for (const { block, incentive, emission, rank, gauntletWeight } of records) {
    points.set(block, { block, incentive, emission, rank, gauntletWeight });
  }
  for (const { block, neurons } of samples) {
    const neuron = neurons.get(hotkey);
    if (!neuron) continue;
    const { incentive, emission, rank } = neuron;
    points.set(block, { block, incentive, emission, rank, gauntletWeight: points.get(block)?.gauntletWeight ?? null });
  }
  return [...points.values()].sort((a, b) => a.block - b.block);
}
