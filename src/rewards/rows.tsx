/** Figures one under another, aligned, so that cards beside each other can be compared line by line. */
import { Trans } from '@lingui/react/macro';
import type { ReactNode } from 'react';
import { Hint } from './hint.tsx';
import styles from './rows.module.css';

export function Rows({ children }: { children: ReactNode }) {
  return <dl className={styles['rows']}>{children}</dl>;
}

export interface RowProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly testId?: string;
  readonly unit?: string | undefined;
  readonly children: ReactNode;
}

export function Row({ label, hint, testId, unit, children }: RowProps) {
  return (
    <div>
      <dt>
        {label}
        {hint !== undefined && <Hint about={label}>{hint}</Hint>}
      </dt>
      <dd>
        <span data-testid={testId}>{children}</span>
        <span className={styles['unit']}>{unit}</span>
      </dd>
    </div>
  );
}

/** @param storage where a runtime that has it keeps it */
export function NotSaid({ storage }: { storage: string }) {
  return (
    <span className={styles['unsaid']}>
      <Trans>
        not said by this runtime (<code>{storage}</code>)
      </Trans>
    </span>
  );
}
