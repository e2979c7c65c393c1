/** Whose key contributes from this tab, and how to make it a wallet’s. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { lazy, Suspense, useState } from 'react';
import { saveWallet } from '../../workers/shared/wallet-identity.ts';
import { useApp } from '../client/app-context.ts';
import { withRemedy } from '../ui/failure-words.ts';
import { Button } from '../ui/button.tsx';
import { UNKNOWN } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { Notice } from '../ui/notice.tsx';
import styles from './own-key.module.css';
import { useIdentityChanged, useOwnIdentity, withKeys, type OwnIdentity } from './use-identity.ts';
import { WalletButton } from './wallet-button.tsx';

const DelegationCard = lazy(() => import('./delegation-card.tsx'));

/** A term and its description, for a list of facts. */
export function OwnKey() {
  const { source } = useApp();
  const { data: own, error } = useOwnIdentity();
  const [told, setTold] = useState<string>();
  return (
    <div>
      <dt>
        <Trans>
          Your key{' '}
          <span className="soft">
            {own?.wallet
              ? t`(${own.wallet.wallet.account} in ${own.wallet.wallet.name})`
              : t`(guest, made in this browser)`}
          </span>
        </Trans>
      </dt>
      <dd className={styles['key']}>
        {own && <Identifier value={own.hotkey} name={t`your key`} testId="hotkey" />}
        {error && <Notice tone="bad">{withRemedy(error)}</Notice>}
        {!own && !error && UNKNOWN}
        {told !== undefined && !own?.wallet && (
          <p role="status" data-testid="wallet-ended">
            {told}
          </p>
        )}
        {own?.wallet ? (
          <Suspense>
            <DelegationCard key={own.wallet.hotkey} record={own.wallet} onEnded={setTold} />
          </Suspense>
        ) : (
          <div className={styles['ways']}>
            {source.kind === 'validator' && (
              <WalletButton testId="connect-wallet">
                <Trans>Connect a wallet</Trans>
              </WalletButton>
            )}
            {own && <Held own={own} />}
          </div>
        )}
      </dd>
    </div>
  );
}

/** What was signed in this browser before: no new signature is needed. */
function Held({ own }: { own: OwnIdentity }) {
  const identityChanged = useIdentityChanged();
  return own.held.map((record) => (
    <Button
      key={record.hotkey}
      kind="quiet"
      onClick={() => void withKeys((keys) => saveWallet(keys, record)).then(identityChanged)}
    >
      <Trans>Go on as {record.wallet.account}</Trans>
    </Button>
  ));
}
