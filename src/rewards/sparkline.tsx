/** A figure's course in one line; the numbers are beside it. */
import styles from './sparkline.module.css';

export interface SparklineProps {
  /** What it shows, in a sentence. */
  readonly description: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

const WIDTH = 300;
const HEIGHT = 40;
const MARGIN = 3;

export function Sparkline({ description, x, y }: SparklineProps) {
  const [low, high] = [Math.min(...y), Math.max(...y)];
  const [first, last] = [x[0]!, x.at(-1)!];
  const points = x.map((at, i) => {
    const across = last === first ? 1 : (at - first) / (last - first);
    // What never changed runs through the middle.
    const up = high === low ? 0.5 : (y[i]! - low) / (high - low);
    return [MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)] as const;
  });
  // A figure holds until the next one is read: steps, not slopes.
  const line = [`M${MARGIN} ${points[0]![1]}`, ...points.map(([px, py]) => `H${px}V${py}`)].join('');
  const [endX, endY] = points.at(-1)!;
  return (
    <svg className={styles['sparkline']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={description}>
      <title>{description}</title>
      <path className={styles['area']} d={`${line}V${HEIGHT}H${MARGIN}Z`} />
      <path className={styles['line']} d={line} />
      <circle className={styles['end']} cx={endX} cy={endY} r={3} />
    </svg>
  );
}
