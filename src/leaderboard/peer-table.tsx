/** Peers as a table of which only the rows in sight exist. The own row never leaves the sight. */
import { useLingui } from '@lingui/react/macro';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useSyncExternalStore } from 'react';
import type { LeaderboardEntry } from '../../core/protocol/api.ts';
import { classes } from '../ui/classes.ts';
import { ratingScale } from '../ui/rating-band.tsx';
import { PeerRow } from './peer-row.tsx';
import styles from './peer-table.module.css';
import type { Selection, SortKey } from './rows.ts';

const ROW_PX = 52;
const CARD_PX = 124;
const PHONE = '(max-width: 720px)';

function onPhoneChange(listener: () => void): () => void {
  const query = matchMedia(PHONE);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

export interface PeerTableProps {
  readonly rows: readonly LeaderboardEntry[];
  /** All peers, so that the bands' scale stays when rows are filtered. */
  readonly peers: readonly LeaderboardEntry[];
  readonly own: string | undefined;
  readonly selection: Selection;
  readonly onSort: (key: SortKey) => void;
}

export function PeerTable({ rows, peers, own, selection, onSort }: PeerTableProps) {
  const { t } = useLingui();
  const scroller = useRef<HTMLDivElement>(null);
  const rowPx = useSyncExternalStore(onPhoneChange, () => (matchMedia(PHONE).matches ? CARD_PX : ROW_PX));
  const scale = useMemo(() => ratingScale(peers.map(({ rating }) => rating)), [peers]);
  const ownIndex = rows.findIndex(({ hotkey }) => hotkey === own);
  // The page is not compiled by React’s compiler, which this warns of.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 6,
  });
  const placed = virtual.getVirtualItems().filter(({ index }) => index !== ownIndex && index < rows.length);
  const columns: readonly { name: string; sort?: SortKey }[] = [
    { name: t`Rank`, sort: 'rank' },
    { name: t`Peer` },
    { name: t`Rating`, sort: 'rating' },
    { name: t`Score so far` },
    { name: t`μ`, sort: 'poc' },
    { name: t`Score`, sort: 'peerScore' },
    { name: t`Weight`, sort: 'weight' },
  ];
  return (
    // A region that scrolls must take the focus (WCAG 2.1.1).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} className={styles['scroller']} role="region" aria-label={t`All peers`} tabIndex={0}>
      <div role="table" aria-label={t`All peers`} aria-rowcount={rows.length + 1}>
        <div role="row" aria-rowindex={1} className={classes(styles['row'], styles['head'])}>
          {columns.map(({ name, sort }) => (
            <span key={name} role="columnheader" aria-sort={sortOf(sort, selection)}>
              {sort ? (
                <button type="button" onClick={() => onSort(sort)}>
                  {name}
                  {sort === selection.sort && <span aria-hidden="true">{selection.reversed ? ' ↑' : ' ↓'}</span>}
                </button>
              ) : (
                name
              )}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={styles['body']} style={{ height: rows.length * rowPx }}>
          {placed.map(({ index }) => (
            <PeerRow
              key={rows[index]!.hotkey}
              peer={rows[index]!}
              own={false}
              scale={scale}
              rowIndex={index + 2}
              heightPx={rowPx}
              startPx={index * rowPx}
            />
          ))}
          {ownIndex >= 0 && (
            <>
              <div role="presentation" style={{ height: ownIndex * rowPx }} />
              <PeerRow
                peer={rows[ownIndex]!}
                own
                scale={scale}
                rowIndex={ownIndex + 2}
                heightPx={rowPx}
                startPx={undefined}
              />
            </>
          )}
        </div>
      </div>
    </div>
  );
}

function sortOf(key: SortKey | undefined, { sort, reversed }: Selection): 'ascending' | 'descending' | undefined {
  if (key !== sort) return undefined;
  // Ranks begin with the smallest, figures with the largest.
  return (key === 'rank') !== reversed ? 'ascending' : 'descending';
}
