/** In a run with a chain: the account itself is the hotkey, or it owns it. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useId, useState } from 'react';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { shorten } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import type { Flow, Step } from '../flow.ts';
import styles from '../wallet-dialog.module.css';

export function HotkeyStep({ flow, step }: { flow: Flow; step: Extract<Step, { kind: 'hotkey' }> }) {
  const [pasted, setPasted] = useState('');
  const field = useId();
  const { account, lookup } = step;
  return (
    <div className={styles['step']}>
      <p>
        <Trans>
          Contributions count for a hotkey. <strong>{account.name}</strong> may be one itself, or be the coldkey that
          owns it.
        </Trans>
      </p>
      {lookup.kind === 'asking' && (
        <p role="status" className={styles['waiting']}>
          <span className={styles['spinner']} aria-hidden="true" />
          <span>
            <Trans>Asking the chain which hotkeys this account owns.</Trans>
          </span>
        </p>
      )}
      {lookup.kind === 'failed' && (
        <Notice tone="warn" title={t`The chain could not be asked`}>
          <Trans>{lookup.reason} Paste the hotkey below, or use the account itself.</Trans>
        </Notice>
      )}
      <ul className={styles['choices']} aria-label={t`Hotkeys`}>
        {(lookup.kind === 'found' ? lookup.choices : [{ address: account.address, uid: undefined }]).map(
          ({ address, uid }) => (
            <li key={address}>
              <button
                type="button"
                className={styles['choice']}
                data-testid={`hotkey-${address}`}
                onClick={() => void flow.pickHotkey(address)}
              >
                <strong>{address === account.address ? t`This account itself` : t`A hotkey that it owns`}</strong>
                <span className={styles['address']}>
                  <code title={address}>{shorten(address, 8, 8)}</code>
                  {uid === null && (
                    <Badge tone="warn">
                      <Trans>not registered</Trans>
                    </Badge>
                  )}
                  {typeof uid === 'number' && (
                    <Badge tone="good">
                      <Trans>uid {uid}</Trans>
                    </Badge>
                  )}
                </span>
              </button>
            </li>
          ),
        )}
      </ul>
      <form
        className={styles['paste']}
        onSubmit={(event) => {
          event.preventDefault();
          void flow.pickHotkey(pasted);
        }}
      >
        <label htmlFor={field}>
          <Trans>Another hotkey that this account owns</Trans>
        </label>
        <input
          id={field}
          value={pasted}
          spellCheck={false}
          autoComplete="off"
          data-testid="hotkey-input"
          onChange={(event) => setPasted(event.target.value)}
        />
        <Button type="submit">
          <Trans>Use it</Trans>
        </Button>
      </form>
      <div className={styles['actions']}>
        <Button data-testid="wallet-back" onClick={flow.back}>
          <Trans>Another account</Trans>
        </Button>
      </div>
    </div>
  );
}
