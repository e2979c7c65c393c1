/** A file of the validator's: a link, or where the validator is in this tab a button that hands the file over. */
import { useState, type ReactNode } from 'react';
import { useApp } from '../client/app-context.ts';
import { saveFile } from '../platform/save-file.ts';
import { Button } from '../ui/button.tsx';

export interface FileLinkProps {
  /** Below the validator's address, with a slash in front. */
  readonly path: string;
  /** What it is saved as. */
  readonly name: string;
  readonly className?: string | undefined;
  readonly testId?: string;
  readonly children: ReactNode;
}

export function FileLink({ path, name, className, testId, children }: FileLinkProps) {
  const { source } = useApp();
  const [busy, setBusy] = useState(false);
  const address = new URL(path, source.validatorUrl).href;
  // A recording has no files.
  if (source.kind === 'replay') return <span className={className}>{children}</span>;
  if (source.kind === 'validator') {
    return (
      <a href={address} download={name} className={className} data-testid={testId}>
        {children}
      </a>
    );
  }
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const response = await source.fetch(address);
      if (response.ok) saveFile(await response.blob(), name);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button kind="quiet" busy={busy} onClick={() => void save()} data-testid={testId}>
      {children}
    </Button>
  );
}
