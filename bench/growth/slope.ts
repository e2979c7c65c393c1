/** How a cost grows: the exponent of the power law that fits it best. */

export type Point = readonly [size: number, cost: number];

export interface Growth {
  /** Exponent: 0 does not grow, 1 grows in proportion, 2 with the square. */
  readonly slope: number;
  /** Share of the variance of the logarithms that the law explains; 1 where they do not vary. */
  readonly r2: number;
}

/**
 * Least squares on the logarithms of both.
 *
 * @throws RangeError with fewer than two sizes, or for what is not positive
 */
export function growthOf(points: readonly Point[]): Growth {
  if (points.some(([size, cost]) => !(size > 0 && cost > 0))) throw new RangeError('a size or a cost is not positive');
  const logs = points.map(([size, cost]) => [Math.log(size), Math.log(cost)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, log) => sum + log[at], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const sum = (of: (x: number, y: number) => number): number =>
    logs.reduce((all, [x, y]) => all + of(x - mx, y - my), 0);
  const xx = sum((x) => x * x);
  if (!(xx > 0)) throw new RangeError('two different sizes are wanted');
  const slope = sum((x, y) => x * y) / xx;
  const yy = sum((_, y) => y * y);
  const left = sum((x, y) => (y - slope * x) ** 2);
  return { slope, r2: yy === 0 ? 1 : 1 - left / yy };
}
