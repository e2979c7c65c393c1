/** Back and forth through windows, and back to the newest. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Button } from '../../ui/button.tsx';
import { formatInteger } from '../../ui/format.ts';
import styles from './window-choice.module.css';

export interface WindowChoiceProps {
  readonly window: number;
  readonly newest: number;
  /** Shows each window as it is published. */
  readonly following: boolean;
  readonly onChoose: (window: number) => void;
}

export function WindowChoice({ window, newest, following, onChoose }: WindowChoiceProps) {
  const { t } = useLingui();
  return (
    <div className={styles['choice']} role="group" aria-label={t`Window to look at`}>
      <Button aria-label={t`One window back`} onClick={() => onChoose(window - 1)}>
        ←
      </Button>
      <span aria-live="polite">
        <Trans>
          Window <strong data-testid="chosen-window">{formatInteger(window)}</strong>
        </Trans>
      </span>
      <Button aria-label={t`One window on`} onClick={() => onChoose(window + 1)}>
        →
      </Button>
      {following ? (
        <span className="soft">
          <Trans>the newest, followed as it comes</Trans>
        </span>
      ) : (
        <Button kind="quiet" onClick={() => onChoose(newest)}>
          <Trans>Back to the newest</Trans>
        </Button>
      )}
    </div>
  );
}
