/** The model's loss over windows as one small line; its first and last figures in words. */
import { useLingui } from '@lingui/react/macro';
import { formatDecimal, formatInteger } from './format.ts';
import styles from './loss-curve.module.css';

export interface LossPoint {
  readonly window: number;
  /** Nats a token. */
  readonly loss: number;
}

const WIDTH = 320;
const HEIGHT = 96;
const MARGIN = 6;

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

/** @param points at least one */
export function LossCurve({ points }: { points: readonly LossPoint[] }) {
  const { t } = useLingui();
  const at = curveCoordinates(points, { width: WIDTH, height: HEIGHT, margin: MARGIN });
  const line = at.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
  const [first, last] = [points[0]!, points.at(-1)!];
  const end = at.at(-1)!;
  const from = formatDecimal(first.loss, 3);
  const to = formatDecimal(last.loss, 3);
  const window = formatInteger(last.window);
  return (
    <svg
      className={styles['curve']}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={t`The model’s loss: from ${from} to ${to} in window ${window}.`}
    >
      <path className={styles['area']} d={`${line}V${HEIGHT}H${at[0]!.x.toFixed(1)}Z`} />
      <path className={styles['line']} d={line} />
      <circle className={styles['end']} cx={end.x} cy={end.y} r={4} />
    </svg>
  );
}
