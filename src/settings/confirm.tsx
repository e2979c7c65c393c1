/** A button that says what it costs before it does it. The focus stays with whoever asked. */
import { Trans } from '@lingui/react/macro';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import styles from './settings.module.css';

export interface ConfirmProps {
  readonly label: string;
  /** For screen readers, where the label alone says too little. */
  readonly name?: string;
  readonly cost: ReactNode;
  readonly testId?: string;
  readonly onConfirm: () => void;
}

export function Confirm({ label, name = label, cost, testId, onConfirm }: ConfirmProps) {
  const [asked, setAsked] = useState<boolean>();
  const ask = useRef<HTMLButtonElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked !== undefined) (asked ? keep : ask).current?.focus();
  }, [asked]);

  if (!asked) {
    return (
      <Button ref={ask} onClick={() => setAsked(true)} aria-label={name} data-testid={testId}>
        {label}
      </Button>
    );
  }
  return (
    <div className={styles['confirm']} role="group" aria-label={name}>
      <p>{cost}</p>
      <div className={styles['actions']}>
        <Button
          kind="primary"
          data-testid={testId && `${testId}-confirm`}
          onClick={() => {
            setAsked(false);
            onConfirm();
          }}
        >
          {label}
        </Button>
        <Button ref={keep} onClick={() => setAsked(false)}>
          <Trans>Keep it</Trans>
        </Button>
      </div>
    </div>
  );
}
