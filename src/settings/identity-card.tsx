/** Whose key contributes from this browser, what it would mean to lose it, and what wallets allowed. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Term } from '../learn/term.tsx';
import { Card } from '../ui/card.tsx';
import { formatInteger } from '../ui/format.ts';
import { OwnKey } from '../wallet/own-key.tsx';
import { useOwnIdentity } from '../wallet/use-identity.ts';
import { WalletDialogPlace } from '../wallet/wallet-button.tsx';
import styles from './settings.module.css';

export function IdentityCard() {
  const { t } = useLingui();
  const own = useOwnIdentity().data;
  const others = own?.held.filter(({ hotkey }) => hotkey !== own.wallet?.hotkey).length ?? 0;
  return (
    <Card title={t`Identity`}>
      <dl className={styles['plain']}>
        <OwnKey />
      </dl>
      <WalletDialogPlace />
      <p className={styles['plain']}>
        {own?.wallet ? (
          <Trans>
            Your wallet holds the key that counts. What lies here is a key it <Term name="delegation">delegated</Term>{' '}
            to: should it get lost, sign again.
          </Trans>
        ) : (
          <Trans>
            The address above is the fingerprint of a <Term name="guest">guest</Term> key that was made in this browser
            and cannot be exported. Clearing this site’s data, or another browser or device, means another key: rank,
            rating and receipts of the old one stay on record, and nobody can go on with them. To keep an identity,
            connect a wallet.
          </Trans>
        )}
      </p>
      {others > 0 && (
        <p className={styles['plain']}>
          <Trans>
            Other accounts whose delegation lies in this browser: {formatInteger(others)}. Go on as one of them to renew
            or revoke it.
          </Trans>
        </p>
      )}
    </Card>
  );
}
