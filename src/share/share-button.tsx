/** Offers a picture of one's contribution, once there is one. The dialog is loaded when it is wanted. */
import { Trans } from '@lingui/react/macro';
import { lazy, Suspense, useState } from 'react';
import { useContribute } from '../client/app-context.ts';
import { useLeaderboard, useManifest, usePeer, useWindows } from '../client/queries.ts';
import { Button } from '../ui/button.tsx';
import { ErrorBoundary } from '../ui/error-boundary.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { cardFacts, type CardFacts } from './facts.ts';
import styles from './share-button.module.css';

const ShareDialog = lazy(() => import('./share-dialog.tsx'));

export function ShareButton() {
  const peer = usePeer(useOwnHotkey()).data;
  const run = useManifest()?.name;
  const leaderboard = useLeaderboard().data;
  const windows = useWindows().data;
  const tokens = useContribute((state) => state.tokensTrained);
  // Of the moment when it was asked for: a picture does not change while somebody looks at it.
  const [shown, setShown] = useState<CardFacts>();
  if (!peer || peer.contributions.accepted === 0 || run === undefined || !leaderboard || !windows) return null;
  return (
    <>
      <Button
        className={styles['share']}
        data-testid="share"
        onClick={() => setShown(cardFacts({ run, peer, leaderboard, windows, tokens }))}
      >
        <Trans>Share</Trans>
      </Button>
      {shown && (
        <ErrorBoundary>
          <Suspense>
            <ShareDialog facts={shown} onClose={() => setShown(undefined)} />
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}
