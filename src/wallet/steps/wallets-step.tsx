/** Every wallet that is in the page, and what to do without one. */
import { t } from '@lingui/core/macro';
import { i18n } from '@lingui/core';
import { Trans } from '@lingui/react/macro';
import { useStore } from 'zustand';
import { Button } from '../../ui/button.tsx';
import type { Flow } from '../flow.ts';
import { WALLET_HOMES, walletBrowsers, type WalletHome } from '../known-wallets.ts';
import styles from '../wallet-dialog.module.css';

const ON_PHONE = matchMedia('(pointer: coarse) and (hover: none)').matches;

export function WalletsStep({ flow, onGuest }: { flow: Flow; onGuest: () => void }) {
  const wallets = useStore(flow.store, (state) => state.wallets);
  const names = wallets.map(({ name }) => name);
  return (
    <div className={styles['step']}>
      {wallets.length === 0 ? (
        <p role="status" data-testid="no-wallets">
          <Trans>
            No wallet is in this page. One that you install or switch on appears here by itself; some need a reload.
          </Trans>
        </p>
      ) : (
        <ul className={styles['choices']} aria-label={t`Wallets`}>
          {wallets.map((wallet) => (
            <li key={wallet.key}>
              <button
                type="button"
                className={styles['choice']}
                data-testid={`wallet-${wallet.key}`}
                onClick={() => void flow.choose(wallet)}
              >
                <strong>{wallet.name}</strong>
                <span className="soft">
                  {/* Two may go by one name: the key tells them apart. */}
                  {names.filter((name) => name === wallet.name).length > 1 && `${wallet.key} `}
                  {wallet.version}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <p className="soft">
        <Trans>
          You sign one text. It lets a key in this tab contribute for you until a date that you choose: it can move no
          funds and sign nothing else, and you can revoke it here.
        </Trans>
      </p>
      <details open={wallets.length === 0 && ON_PHONE}>
        <summary>
          <Trans>On a phone</Trans>
        </summary>
        <p className="soft">
          <Trans>Wallets on phones have a browser of their own. Open this page there:</Trans>
        </p>
        <Homes homes={walletBrowsers(location.href)} />
      </details>
      <details open={wallets.length === 0}>
        <summary>{wallets.length === 0 ? t`Get a wallet` : t`Another wallet`}</summary>
        <Homes homes={WALLET_HOMES} />
      </details>
      <div className={styles['actions']}>
        <Button kind="quiet" data-testid="wallet-guest" onClick={onGuest}>
          <Trans>Go on without a wallet</Trans>
        </Button>
      </div>
    </div>
  );
}

function Homes({ homes }: { homes: readonly WalletHome[] }) {
  return (
    <ul className={styles['homes']}>
      {homes.map(({ name, url, note }) => (
        <li key={name}>
          <a href={url} target="_blank" rel="noreferrer">
            {name}
          </a>{' '}
          <span className="soft">{i18n._(note)}</span>
        </li>
      ))}
    </ul>
  );
}
