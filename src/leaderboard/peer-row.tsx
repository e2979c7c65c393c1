/** One peer: cells of a row where there is room, a card on a phone. */
import { useLingui } from '@lingui/react/macro';
import { memo, type CSSProperties } from 'react';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { PeerName } from '../peers/peer-name.tsx';
import { Badge } from '../ui/badge.tsx';
import { classes } from '../ui/classes.ts';
import { formatDecimal, formatPercent } from '../ui/format.ts';
import { RatingBand, type Scale } from '../ui/rating-band.tsx';
import { FlagEvidence } from './flag-evidence.tsx';
import styles from './peer-table.module.css';
import { flagsAgainst } from './rows.ts';
import { Rank, Trend } from './standing.tsx';

export interface PeerRowProps {
  readonly peer: LeaderboardEntry;
  readonly own: boolean;
  readonly scale: Scale;
  /** Of the whole table, the head being 1. */
  readonly rowIndex: number;
  readonly heightPx: number;
  /** Undefined for the own row, which the browser holds in sight. */
  readonly startPx: number | undefined;
}

export const PeerRow = memo(function PeerRow({ peer, own, scale, rowIndex, heightPx, startPx }: PeerRowProps) {
  const { t } = useLingui();
  const against = flagsAgainst(peer);
  const style: CSSProperties = { height: heightPx };
  if (startPx !== undefined) style.transform = `translateY(${startPx}px)`;
  return (
    <div
      role="row"
      aria-rowindex={rowIndex}
      aria-current={own || undefined}
      className={classes(styles['row'], startPx === undefined ? styles['pinned'] : styles['placed'])}
      style={style}
    >
      <span role="cell" className={styles['rank']}>
        <Rank rank={peer.rank} previousRank={peer.previousRank} />
      </span>
      <span role="rowheader" className={styles['peer']}>
        <PeerName hotkey={peer.hotkey} />
        {own && <Badge tone="accent">{t`You`}</Badge>}
        {against.length > 0 && <FlagEvidence hotkey={peer.hotkey} flags={against} />}
      </span>
      <span role="cell" className={styles['band']}>
        <RatingBand rating={peer.rating} scale={scale} />
      </span>
      <span role="cell" className={styles['trend']}>
        <Trend scores={peer.trend} />
      </span>
      <span role="cell" className={styles['figure']} data-name="μ">
        {formatDecimal(peer.poc, 2)}
      </span>
      <span role="cell" className={styles['figure']} data-name={t`Score`}>
        {formatDecimal(peer.peerScore, 2)}
      </span>
      <span role="cell" className={styles['figure']} data-name={t`Weight`}>
        {formatPercent(peer.weight)}
      </span>
    </div>
  );
});
