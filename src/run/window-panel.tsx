/** The present window: its number, its phase and how long that lasts. */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import { Trans, useLingui } from '@lingui/react/macro';
import { useServerNowMs } from '../client/app-context.ts';
import { useClock, useUnreachable } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { Notice } from '../ui/notice.tsx';
import type { ClockState, Phase } from '../../core/protocol/api.ts';
import { timeline } from './timeline.ts';
import styles from './window-panel.module.css';

const PHASE_NAMES: Readonly<Record<Phase, MessageDescriptor>> = {
  train: msg`train`,
  put: msg`put`,
  judge: msg`judge`,
  publish: msg`publish`,
};

const MEANINGS: Readonly<Record<Phase, MessageDescriptor>> = {
  train: msg`Every tab trains on its own pages.`,
  put: msg`Contributions are uploaded, sealed from each other.`,
  judge: msg`The validator checks and scores them.`,
  publish: msg`The best become the next model.`,
};

export function WindowPanel() {
  const { data: clock } = useClock();
  const unreachable = useUnreachable() !== undefined;
  const { t } = useLingui();
  return (
    <Card
      title={clock ? t`Window` : t`This window`}
      aside={
        clock && (
          <span className={styles['number']} data-testid="window">
            {clock.window}
          </span>
        )
      }
    >
      {clock ? (
        <Phases clock={clock} />
      ) : (
        <Notice>
          {unreachable ? (
            <Trans>Its clock is shown once the validator answers.</Trans>
          ) : (
            <Trans>Asking the validator for its clock.</Trans>
          )}
        </Notice>
      )}
    </Card>
  );
}

function Phases({ clock }: { clock: ClockState }) {
  const now = useServerNowMs();
  const { phases, text } = timeline(clock, now);
  return (
    <div className={styles['phases']}>
      <p className={styles['now']}>
        <strong data-testid="phase" data-phase={clock.phase}>
          {i18n._(PHASE_NAMES[clock.phase])}
        </strong>
        <span role="timer">{text}</span>
      </p>
      <ol className={styles['track']}>
        {phases.map(({ phase, state, fraction }) => (
          <li
            key={`${clock.window} ${phase}`}
            data-phase={phase}
            data-state={state}
            aria-current={state === 'now' ? 'step' : undefined}
          >
            <span className={styles['bar']} aria-hidden="true">
              <span
                className={fraction === undefined ? styles['open'] : styles['fill']}
                style={{ transform: `scaleX(${fraction ?? 1})` }}
              />
            </span>
            <span className={styles['name']}>{i18n._(PHASE_NAMES[phase])}</span>
          </li>
        ))}
      </ol>
      <p className="soft">{i18n._(MEANINGS[clock.phase])}</p>
    </div>
  );
}
