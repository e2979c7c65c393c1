/** A screen's one heading of the first level, and what the screen is for in a sentence. */
import type { ReactNode } from 'react';
import styles from './screen-head.module.css';

export function ScreenHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles['head']}>
      <h1>{title}</h1>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}
