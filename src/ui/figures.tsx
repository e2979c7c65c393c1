/** A row of labelled figures. */
import type { ReactNode } from 'react';
import { classes } from './classes.ts';
import styles from './figures.module.css';

/** @param columns as many as fit when not given */
export function Figures({ columns, children }: { columns?: 3; children: ReactNode }) {
  return <dl className={classes(styles['figures'], columns && styles['three'])}>{children}</dl>;
}

export interface FigureProps {
  readonly label: string;
  /** What the figure is and where it comes from. */
  readonly hint?: string;
  readonly unit?: string;
  readonly testId?: string;
  readonly children: ReactNode;
}

export function Figure({ label, hint, unit, testId, children }: FigureProps) {
  return (
    <div className={styles['figure']} title={hint}>
      <dt>{label}</dt>
      <dd>
        <span data-testid={testId}>{children}</span>
        {unit !== undefined && <span className={styles['unit']}> {unit}</span>}
      </dd>
    </div>
  );
}
