/** What a wallet has signed for this tab: by whom, for what, until when, and how to end it. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useState } from 'react';
import type { WalletRecord } from '../../workers/shared/database.ts';
import { chooseGuest } from '../../workers/shared/wallet-identity.ts';
import { useApp, useServerNowMs } from '../client/app-context.ts';
import { sentence } from '../ui/failure-words.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { formatDuration } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import { Notice } from '../ui/notice.tsx';
import { renewalDueMs } from './delegate.ts';
import styles from './delegation-card.module.css';
import { revoke } from './revoke.ts';
import { useIdentityChanged, withKeys } from './use-identity.ts';
import { WalletButton } from './wallet-button.tsx';

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export interface DelegationCardProps {
  readonly record: WalletRecord;
  /** What is worth telling after the record is gone, and the card with it. */
  readonly onEnded: (told: string) => void;
}

export default function DelegationCard({ record, onEnded }: DelegationCardProps) {
  const { request, wallet, hotkey } = record;
  const { issuedAt, expiresAt } = request.delegation;
  return (
    <div className={styles['card']} data-testid="delegation">
      <dl className={styles['facts']}>
        <div>
          <dt>
            <Trans>Account</Trans>
          </dt>
          <dd>
            {wallet.account}{' '}
            <span className="soft">
              <Trans>in {wallet.name}</Trans>
            </span>
          </dd>
        </div>
        {request.signer !== hotkey && (
          <div>
            <dt>
              <Trans>Signed by its owner</Trans>
            </dt>
            <dd>
              <Identifier value={request.signer} name={t`the owner’s address`} />
            </dd>
          </div>
        )}
        <div>
          <dt>
            <Trans>Allows</Trans>
          </dt>
          <dd>
            <Trans>Training and uploading for this run, by a key in this browser</Trans>
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Signed</Trans>
          </dt>
          <dd>
            <time dateTime={issuedAt}>{DATE.format(new Date(issuedAt))}</time>
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Expires</Trans>
          </dt>
          <dd>
            <time dateTime={expiresAt}>{DATE.format(new Date(expiresAt))}</time>
          </dd>
        </div>
      </dl>
      <Reminder record={record} />
      <Endings record={record} onEnded={onEnded} />
    </div>
  );
}

function Reminder({ record }: { record: WalletRecord }) {
  const { delegation } = record.request;
  const nowMs = useServerNowMs();
  if (nowMs < renewalDueMs(delegation)) return null;
  const secondsLeft = (Date.parse(delegation.expiresAt) - nowMs) / 1_000;
  return (
    <Notice tone="warn" title={secondsLeft > 0 ? t`Expires in ${formatDuration(secondsLeft)}` : t`Expired`}>
      <Trans>Renew it: one more signature, and nothing that you computed is lost.</Trans>
    </Notice>
  );
}

function Endings({ record, onEnded }: DelegationCardProps) {
  const { api, controller, live } = useApp();
  const identityChanged = useIdentityChanged();
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState<string>();

  async function end(work: () => Promise<string>): Promise<void> {
    try {
      await controller.stop();
      onEnded(await work());
      await identityChanged();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  }
  const disconnect = (): Promise<void> =>
    end(async () => {
      await withKeys((keys) => chooseGuest(keys, record.run));
      return t`Disconnected. What the wallet signed is kept in this browser until it expires or you revoke it.`;
    });
  const revokeIt = (): Promise<void> =>
    end(async () => {
      const unnoted = await revoke(api, record, Date.now() + live.store.getState().offsetMs);
      return unnoted === undefined
        ? t`Revoked. The validator refuses the key from now on, and it is deleted here.`
        : t`The key is deleted here, so nobody can use it. The validator has not taken note: ${sentence(unnoted)}`;
    });

  if (asked) {
    return (
      <div className={styles['actions']}>
        <p>
          <Trans>
            <Badge tone="warn">Revoke?</Badge> Training stops, and this key never signs again.
          </Trans>
        </p>
        <Button kind="primary" data-testid="revoke-confirm" onClick={() => void revokeIt()}>
          <Trans>Revoke</Trans>
        </Button>
        <Button onClick={() => setAsked(false)}>
          <Trans>Keep it</Trans>
        </Button>
      </div>
    );
  }
  return (
    <div className={styles['actions']}>
      <WalletButton testId="renew" renew={record}>
        <Trans>Renew</Trans>
      </WalletButton>
      <Button data-testid="revoke" onClick={() => setAsked(true)}>
        <Trans>Revoke</Trans>
      </Button>
      <Button kind="quiet" data-testid="disconnect" onClick={() => void disconnect()}>
        <Trans>Disconnect</Trans>
      </Button>
      {failure !== undefined && <Notice tone="bad">{failure}</Notice>}
    </div>
  );
}
