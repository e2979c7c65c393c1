/** Opens the wallet dialog, which is loaded when it is first wanted. */
import { lazy, Suspense, type ReactNode } from 'react';
import { createStore, useStore } from 'zustand';
import type { WalletRecord } from '../../workers/shared/database.ts';
import { Button, type ButtonProps } from '../ui/button.tsx';
import { ErrorBoundary } from '../ui/error-boundary.tsx';
import { useOwnIdentity } from './use-identity.ts';

const WalletDialog = lazy(() => import('./wallet-dialog.tsx'));

interface Wanted {
  readonly run: string;
  /** Signs again for this one. */
  readonly renew: WalletRecord | undefined;
}

/** Apart from the buttons: what is signed may take the button away that asked for it. */
const wantedDialog = createStore<{ readonly wanted: Wanted | undefined }>(() => ({ wanted: undefined }));

export interface WalletButtonProps {
  readonly kind?: NonNullable<ButtonProps['kind']>;
  readonly testId: string;
  readonly renew?: WalletRecord;
  readonly children: ReactNode;
}

export function WalletButton({ kind = 'secondary', testId, renew, children }: WalletButtonProps) {
  const run = useOwnIdentity().data?.run;
  const open = (): void => {
    if (run !== undefined) wantedDialog.setState({ wanted: { run, renew } });
  };
  return (
    <Button kind={kind} busy={run === undefined} data-testid={testId} onClick={open}>
      {children}
    </Button>
  );
}

/** Where the dialog of every button is. */
export function WalletDialogPlace() {
  const wanted = useStore(wantedDialog, (state) => state.wanted);
  if (!wanted) return null;
  return (
    <ErrorBoundary>
      <Suspense>
        <WalletDialog {...wanted} onClose={() => wantedDialog.setState({ wanted: undefined })} />
      </Suspense>
    </ErrorBoundary>
  );
}
