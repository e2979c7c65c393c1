/** A rating as a picture: where skill is believed to lie, how sure that is, and the cautious figure that counts. */
import { t } from '@lingui/core/macro';
import type { Rating } from '../../core/protocol/api.ts';
import { formatDecimal } from './format.ts';
import styles from './rating-band.module.css';

export interface Scale {
  readonly min: number;
  readonly max: number;
}

const WIDTH = 160;
const HEIGHT = 20;
const MIDDLE = HEIGHT / 2;

/** A scale on which every rating given has room. */
export function ratingScale(ratings: readonly Rating[]): Scale {
  const lows = ratings.map(({ mu, sigma, ordinal }) => Math.min(mu - sigma, ordinal, 0));
  const highs = ratings.map(({ mu, sigma }) => Math.max(mu + sigma, 30));
  return { min: Math.min(0, ...lows), max: Math.max(30, ...highs) };
}

export function ratingInWords({ mu, sigma, ordinal }: Rating): string {
  return t`rating ${formatDecimal(mu, 1)} plus or minus ${formatDecimal(sigma, 1)}, counted as ${formatDecimal(ordinal, 1)}`;
}

export function RatingBand({ rating, scale }: { rating: Rating; scale: Scale }) {
  const x = (value: number): number => 3 + ((value - scale.min) / (scale.max - scale.min)) * (WIDTH - 6);
  const { mu, sigma, ordinal } = rating;
  return (
    <svg className={styles['band']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={ratingInWords(rating)}>
      <title>{ratingInWords(rating)}</title>
      <line className={styles['axis']} x1={3} x2={WIDTH - 3} y1={MIDDLE} y2={MIDDLE} />
      <line className={styles['reach']} x1={x(ordinal)} x2={x(mu)} y1={MIDDLE} y2={MIDDLE} />
      <rect
        className={styles['sigma']}
        x={x(mu - sigma)}
        width={x(mu + sigma) - x(mu - sigma)}
        y={MIDDLE - 5}
        height={10}
        rx={5}
      />
      <line className={styles['ordinal']} x1={x(ordinal)} x2={x(ordinal)} y1={2} y2={HEIGHT - 2} />
      <circle className={styles['mu']} cx={x(mu)} cy={MIDDLE} r={3} />
    </svg>
  );
}
