/** What became of one delivery, from what the validator published of the peer. */
import type { PeerState } from '../../core/protocol/api.ts';

export type Outcome =
  | { readonly kind: 'pending' }
  /** A check failed. */
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'judged';
      /** Nats gained on its own pages; undefined when it was not drawn for scoring. */
      readonly gain: number | undefined;
      readonly aggregated: boolean;
    };

/** Checks that decide whether a delivery counts at all; what is measured afterwards is a matter of degree. */
const MEASURED = new Set(['loss', 'proof-of-computation', 'conduct']);

export function outcomeOf(peer: Pick<PeerState, 'history' | 'verdicts'> | undefined, window: number): Outcome {
  const point = peer?.history.find((each) => each.window === window);
  const failed = peer?.verdicts.find((each) => each.window === window && !each.pass && !MEASURED.has(each.check));
  if (failed) return { kind: 'refused', reason: failed.reason };
  if (!point) return { kind: 'pending' };
  return { kind: 'judged', gain: point.lossScore?.assigned, aggregated: point.aggregated };
}
