/** How a figure comes about: on hover, and on focus. */
import { t } from '@lingui/core/macro';
import { useId, type ReactNode } from 'react';
import styles from './hint.module.css';

export function Hint({ about, children }: { about: string; children: ReactNode }) {
  const id = useId();
  return (
    <span className={styles['hint']}>
      <button
        type="button"
        aria-label={t`About: ${about}`}
        aria-describedby={id}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      >
        ?
      </button>
      <span role="tooltip" id={id}>
        {children}
      </span>
    </span>
  );
}
