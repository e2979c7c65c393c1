/** A table of which only the rows in sight exist: thousands of windows or peers stay smooth. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';
import { classes } from '../ui/classes.ts';
import styles from './virtual-rows.module.css';

export interface VirtualRowsProps<Row> {
  readonly label: string;
  readonly columns: readonly string[];
  /** A class that sets `grid-template-columns`. */
  readonly template: string;
  readonly rows: readonly Row[];
  readonly rowPx: number;
  readonly keyOf: (row: Row) => string | number;
  readonly cells: (row: Row) => readonly ReactNode[];
}

export function VirtualRows<Row>({ label, columns, template, rows, rowPx, keyOf, cells }: VirtualRowsProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  // The page is not compiled by React’s compiler, which this warns of.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
  });
  return (
    // A region that scrolls must take the focus (WCAG 2.1.1).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} className={styles['scroller']} role="region" aria-label={label} tabIndex={0}>
      <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className={styles['table']}>
        <div role="row" aria-rowindex={1} className={classes(styles['row'], styles['head'], template)}>
          {columns.map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={styles['body']} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => (
            <div
              key={keyOf(rows[index]!)}
              role="row"
              aria-rowindex={index + 2}
              className={classes(styles['row'], template)}
              style={{ height: size, transform: `translateY(${start}px)` }}
            >
              {cells(rows[index]!).map((cell, column) => (
                <span key={columns[column]} role="cell">
                  {cell}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
