/** The model's loss over windows as one small line; its first and last figures in words. */
import { useLingui } from '@lingui/react/macro';
import { curveCoordinates, pathOf, type LossPoint } from './curve.ts';
import { formatDecimal, formatInteger } from './format.ts';
import styles from './loss-curve.module.css';

const WIDTH = 320;
const HEIGHT = 96;
const MARGIN = 6;

/** @param points at least one */
export function LossCurve({ points }: { points: readonly LossPoint[] }) {
  const { t } = useLingui();
  const at = curveCoordinates(points, { width: WIDTH, height: HEIGHT, margin: MARGIN });
  const line = pathOf(at);
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
