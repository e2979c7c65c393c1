/** What will be signed, to the letter, and for how long. */
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
        <strong>{account.name}</strong> signs the text below{hotkey === account.address ? '' : ' for a hotkey it owns'}.
        It allows a key in this tab to train and upload for this run, and nothing else: no transfers, no stake, no other
        run.
      </p>
      <fieldset className={styles['days']}>
        <legend>It is good for</legend>
        {EXPIRY_DAYS.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name="days"
              checked={choice === days}
              data-testid={`days-${choice}`}
              onChange={() => flow.setDays(choice)}
            />{' '}
            {choice} days
          </label>
        ))}
      </fieldset>
      {/* A region that scrolls must take the focus (WCAG 2.1.1). */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles['text']} role="region" aria-label="The text that you sign" tabIndex={0}>
        {delegationText(delegation)}
      </pre>
      <div className={styles['actions']}>
        <Button onClick={flow.back} data-testid="wallet-back">
          Back
        </Button>
        <Button kind="primary" data-testid="wallet-sign" onClick={() => void flow.sign()}>
          Sign in wallet
        </Button>
      </div>
    </div>
  );
}
