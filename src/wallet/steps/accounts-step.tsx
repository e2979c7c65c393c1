/** The accounts that the wallet showed, followed as they change there. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useStore } from 'zustand';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { shorten } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import type { Flow } from '../flow.ts';
import styles from '../wallet-dialog.module.css';

export function AccountsStep({ flow }: { flow: Flow }) {
  const accounts = useStore(flow.store, (state) => state.accounts);
  return (
    <div className={styles['step']}>
      {accounts.length === 0 ? (
        <Notice title={t`The wallet shows no account to this page`}>
          <Trans>
            Create one there, or allow this site to see one in the wallet’s settings. It appears here by itself.
          </Trans>
        </Notice>
      ) : (
        <ul className={styles['choices']} aria-label={t`Accounts`}>
          {accounts.map((account) => (
            <li key={account.address}>
              {account.unsupported === undefined ? (
                <button
                  type="button"
                  className={styles['choice']}
                  data-testid={`account-${account.address}`}
                  onClick={() => void flow.pickAccount(account)}
                >
                  <strong>{account.name}</strong>
                  <span className={styles['address']}>
                    <code title={account.address}>{shorten(account.address, 8, 8)}</code>
                    {account.key !== undefined && <Badge>{account.key}</Badge>}
                  </span>
                </button>
              ) : (
                <div className={styles['unsupported']}>
                  <strong>{account.name}</strong> <code>{shorten(account.address, 8, 8)}</code>
                  <p className="soft">{account.unsupported}</p>
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      <div className={styles['actions']}>
        <Button data-testid="wallet-back" onClick={flow.back}>
          <Trans>Another wallet</Trans>
        </Button>
      </div>
    </div>
  );
}
