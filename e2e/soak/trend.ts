/** Whether a series of measurements grows. */

export type Points = readonly (readonly [window: number, value: number])[];

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * Growth a window: the median of the slopes between all pairs of points (Theil and Sen), which a few measurements that
 * fell into something else's moment do not move. 0 for fewer than two points.
 */
export function slope(points: Points): number {
  const slopes = points.flatMap(([from, before], i) =>
    points.slice(i + 1).map(([to, after]) => (after - before) / (to - from)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}
