/** Who copied whom: of two contributions that keep the same indices the one that came later. */

export interface Arrival {
  readonly hotkey: string;
  /** When the validator had the last byte of this window's upload, milliseconds since the epoch. */
  readonly arrivedAt: number;
}

export interface Copy {
  /** Of the indices that it keeps, those that the other keeps as well. */
  readonly share: number;
  /** The hotkey it has these from. */
  readonly with: string;
}

const isLater = (a: Arrival, b: Arrival): boolean =>
  a.arrivedAt === b.arrivedAt ? a.hotkey > b.hotkey : a.arrivedAt > b.arrivedAt;

/**
 * The largest share of each contribution's indices that an earlier one of the same window keeps too (reference: templar
 * 2.1 neurons.py, which goes by the arrival of the window before). Of two at the same time the greater hotkey is later.
 *
 * @param arrivals distinct hotkeys, in any order
 * @param overlaps symmetric [arrivals, arrivals], of `indexOverlaps`
 * @param least smaller shares do not count
 * @returns by hotkey, without those that nothing counts for
 */
export function copies(
  arrivals: readonly Arrival[],
  overlaps: readonly (readonly number[])[],
  least: number,
): Map<string, Copy> {
  const found = new Map<string, Copy>();
  arrivals.forEach((own, i) => {
    arrivals.forEach((other, j) => {
      const share = overlaps[i]![j]!;
      if (i === j || share < least || !isLater(own, other)) return;
      const worst = found.get(own.hotkey);
      const isWorse = !worst || share > worst.share || (share === worst.share && other.hotkey < worst.with);
      if (isWorse) found.set(own.hotkey, { share, with: other.hotkey });
    });
  });
  return found;
}
