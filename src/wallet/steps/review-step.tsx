/** What will be signed, to the letter, and for how long. */
import { t } from '@lingui/core/macro';
import { Plural, Trans } from '@lingui/react/macro';
import { delegationText } from '../../../core/identity/delegation.ts';
import { Button } from '../../ui/button.tsx';
import { EXPIRY_DAYS } from '../delegate.ts';
import type { Flow, Step } from '../flow.ts';
import styles from '../wallet-dialog.module.css';

export function ReviewStep({ flow, step }: { flow: Flow; step: Extract<Step, { kind: 'review' }> }) {
  const { account, hotkey, days, delegation } = step;
  return (
    <div className={styles['step']}>
      <p>
        {hotkey === account.address ? (
          <Trans>
            <strong>{account.name}</strong> signs the text below. It allows a key in this tab to train and upload for
            this run, and nothing else: no transfers, no stake, no other run.
          </Trans>
        ) : (
          <Trans>
            <strong>{account.name}</strong> signs the text below for a hotkey it owns. It allows a key in this tab to
            train and upload for this run, and nothing else: no transfers, no stake, no other run.
          </Trans>
        )}
      </p>
      <fieldset className={styles['days']}>
        <legend>
          <Trans>It is good for</Trans>
        </legend>
        {EXPIRY_DAYS.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name="days"
              checked={choice === days}
              data-testid={`days-${choice}`}
              onChange={() => flow.setDays(choice)}
            />{' '}
            <Plural value={choice} one="# day" other="# days" />
          </label>
        ))}
      </fieldset>
      {/* A region that scrolls must take the focus (WCAG 2.1.1). */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles['text']} role="region" aria-label={t`The text that you sign`} tabIndex={0}>
        {delegationText(delegation)}
      </pre>
      <div className={styles['actions']}>
        <Button onClick={flow.back} data-testid="wallet-back">
          <Trans>Back</Trans>
        </Button>
        <Button kind="primary" data-testid="wallet-sign" onClick={() => void flow.sign()}>
          <Trans>Sign in wallet</Trans>
        </Button>
      </div>
    </div>
  );
}
