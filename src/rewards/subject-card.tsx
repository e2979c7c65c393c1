/** The frame of everybody who is watched: who it is, what is known, and how to be rid of it. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import type { ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { Hint } from './hint.tsx';
import styles from './subject-card.module.css';

export interface SubjectCardProps {
  readonly title: string;
  readonly badges?: ReactNode;
  readonly hotkey?: string | undefined;
  /** Absent for what is always shown. */
  readonly onRemove?: (() => void) | undefined;
  readonly children: ReactNode;
}

export function SubjectCard({ title, badges, hotkey, onRemove, children }: SubjectCardProps) {
  return (
    <Card
      title={title}
      className={styles['card']}
      aside={
        <div className={styles['aside']}>
          {badges}
          {onRemove && (
            <Button kind="quiet" onClick={onRemove} aria-label={t`Stop watching ${title}`}>
              <Trans>Remove</Trans>
            </Button>
          )}
        </div>
      }
    >
      {hotkey !== undefined && <Identifier value={hotkey} name={t`the hotkey of ${title}`} />}
      {children}
    </Card>
  );
}

/** The two figures that a person came for. */
export function Headline({ children }: { children: ReactNode }) {
  return <div className={styles['headline']}>{children}</div>;
}

export interface HeadlineFigureProps {
  readonly label: string;
  readonly unit?: string;
  readonly hint?: ReactNode;
  readonly below: ReactNode;
  readonly testId?: string;
  readonly children: ReactNode;
}

export function HeadlineFigure({ label, unit, hint, below, testId, children }: HeadlineFigureProps) {
  return (
    <div className={styles['figure']}>
      <div className={styles['label']}>
        {label}
        {hint !== undefined && <Hint about={label}>{hint}</Hint>}
      </div>
      <p className={styles['value']}>
        <span data-testid={testId}>{children}</span>
        {unit !== undefined && <span className={styles['unit']}> {unit}</span>}
      </p>
      <div className={styles['below']}>{below}</div>
    </div>
  );
}
