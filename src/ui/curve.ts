/** The model's loss over windows as points, and where they go in a picture. Free of any library that draws. */

export interface LossPoint {
  readonly window: number;
  /** Nats a token. */
  readonly loss: number;
}

/** Loss before the first window, then after each that was measured. @param windows ascending */
export function lossPoints(
  windows: readonly {
    readonly window: number;
    readonly lossBefore: number | null;
    readonly lossAfter: number | null;
  }[],
): LossPoint[] {
  const [first] = windows;
  const start = first?.lossBefore == null ? [] : [{ window: first.window - 1, loss: first.lossBefore }];
  return [
    ...start,
    ...windows.flatMap(({ window, lossAfter }) => (lossAfter === null ? [] : [{ window, loss: lossAfter }])),
  ];
}

/** Coordinates in a box whose origin is at its upper left corner. @param points at least one */
export function curveCoordinates(
  points: readonly LossPoint[],
  { width, height, margin }: { readonly width: number; readonly height: number; readonly margin: number },
): { readonly x: number; readonly y: number }[] {
  const losses = points.map(({ loss }) => loss);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const [first, last] = [points[0]!.window, points.at(-1)!.window];
  return points.map(({ window, loss }) => ({
    x: margin + (last === first ? 0.5 : (window - first) / (last - first)) * (width - 2 * margin),
    // What never changed runs through the middle.
    y: margin + (high === low ? 0.5 : (high - loss) / (high - low)) * (height - 2 * margin),
  }));
}

/** As an SVG path. @param at at least one */
export function pathOf(at: readonly { readonly x: number; readonly y: number }[]): string {
  return at.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}
