/** Small pictures of how a peer does: its rank's change, and the course of its score. Both are said in words too. */
import { t } from '@lingui/core/macro';
import { classes } from '../ui/classes.ts';
import { formatDecimal, formatInteger, UNKNOWN } from '../ui/format.ts';
import styles from './standing.module.css';

const WIDTH = 80;
const HEIGHT = 20;
const MARGIN = 2;

export function Rank({ rank, previousRank }: { rank: number | null; previousRank: number | null }) {
  if (rank === null) return <span>{UNKNOWN}</span>;
  return (
    <span className={styles['rank']}>
      {formatInteger(rank)} <Change rank={rank} previousRank={previousRank} />
    </span>
  );
}

function Change({ rank, previousRank }: { rank: number; previousRank: number | null }) {
  if (previousRank === null) return <span className={styles['change']}>{t`new`}</span>;
  const places = previousRank - rank;
  if (places === 0) return null;
  const by = formatInteger(Math.abs(places));
  return (
    <span className={classes(styles['change'], styles[places > 0 ? 'up' : 'down'])}>
      <span aria-hidden="true">{places > 0 ? `▲${by}` : `▼${by}`}</span>
      <span className="visually-hidden">{places > 0 ? t`up by ${by}` : t`down by ${by}`}</span>
    </span>
  );
}

/** @param scores oldest first */
export function Trend({ scores }: { scores: readonly number[] }) {
  if (scores.length < 2) return <span className="soft">{UNKNOWN}</span>;
  const top = Math.max(...scores, Number.MIN_VALUE);
  // From zero, so that a flat line of a bad peer does not look like a good one's.
  const low = Math.min(0, ...scores);
  const points = scores.map((score, i) => {
    const x = MARGIN + (i / (scores.length - 1)) * (WIDTH - 2 * MARGIN);
    const y = HEIGHT - MARGIN - ((score - low) / (top - low)) * (HEIGHT - 2 * MARGIN);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const [first, last, windows] = [formatDecimal(scores[0], 2), formatDecimal(scores.at(-1), 2), scores.length];
  const words = t`score from ${first} to ${last} over ${windows} windows`;
  return (
    <svg className={styles['trend']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
