/** What may be wider or longer than the page, scrolled in place and reachable by keyboard. */
import type { ReactNode } from 'react';
import styles from './scroller.module.css';

export function Scroller({ label, children }: { label: string; children: ReactNode }) {
  return (
    // A region that scrolls must take the focus (WCAG 2.1.1).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles['scroller']} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
