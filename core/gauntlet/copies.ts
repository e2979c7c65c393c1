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

/** Of the indices that two contributions keep, the share that both do. */
export interface Overlap {
  /** Places in the list of arrivals; the order of the two does not matter. */
  readonly pair: readonly [number, number];
  readonly share: number;
}

const isLater = (a: Arrival, b: Arrival): boolean =>
  a.arrivedAt === b.arrivedAt ? a.hotkey > b.hotkey : a.arrivedAt > b.arrivedAt;

/**
 * The largest share of each contribution's indices that an earlier one of the same window keeps too (reference: templar
 * 2.1 neurons.py, which goes by the arrival of the window before). Of two at the same time the greater hotkey is later.
 *
 * @param arrivals distinct hotkeys, in any order
 * @param overlaps of at least those pairs that share `least` or more, each once
 * @param least smaller shares do not count
 * @returns by hotkey, without those that nothing counts for
 */
export function copies(arrivals: readonly Arrival[], overlaps: readonly Overlap[], least: number): Map<string, Copy> {
  const found = new Map<string, Copy>();
  for (const { pair, share } of overlaps) {
    if (share < least) continue;
    const [first, second] = pair.map((place) => arrivals[place]!) as [Arrival, Arrival];
    const [own, other] = isLater(first, second) ? [first, second] : [second, first];
    const worst = found.get(own.hotkey);
    const isWorse = !worst || share > worst.share || (share === worst.share && other.hotkey < worst.with);
    if (isWorse) found.set(own.hotkey, { share, with: other.hotkey });
  }
  return found;
}
