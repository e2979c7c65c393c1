/** A long identifier: whole in the document and on the clipboard, cut by CSS where there is no room. */
import { t } from '@lingui/core/macro';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';
import styles from './identifier.module.css';

export interface IdentifierProps {
  readonly value: string;
  /** What it is, for the copy button. */
  readonly name: string;
  readonly testId?: string;
}

const COPIED_MS = 1_500;

export function Identifier({ value, name, testId }: IdentifierProps) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  useEffect(() => {
    if (copied === 'no') return;
    const timer = setTimeout(() => setCopied('no'), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = (): void => {
    // Absent outside secure contexts, whatever the types say.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (!clipboard) {
      setCopied('refused');
      return;
    }
    clipboard.writeText(value).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };

  return (
    <span className={styles['identifier']}>
      <code data-testid={testId} title={value}>
        {value}
      </code>
      <Button kind="quiet" onClick={copy} aria-label={t`Copy ${name}`}>
        {{ no: t`Copy`, yes: t`Copied`, refused: t`Select it` }[copied]}
      </Button>
    </span>
  );
}
