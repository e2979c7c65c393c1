/** The present window: its number, its phase and how long that lasts. */
import { useServerNowMs } from '../client/app-context.ts';
import { useClock, useUnreachable } from '../client/queries.ts';
import { Card } from '../ui/card.tsx';
import { Notice } from '../ui/notice.tsx';
import type { ClockState } from '../../core/protocol/api.ts';
import { timeline } from './timeline.ts';
import styles from './window-panel.module.css';

const MEANINGS: Record<ClockState['phase'], string> = {
  train: 'Every tab trains on its own pages.',
  put: 'Contributions are uploaded, sealed from each other.',
  judge: 'The validator checks and scores them.',
  publish: 'The best become the next model.',
};

export function WindowPanel() {
  const { data: clock } = useClock();
  const unreachable = useUnreachable() !== undefined;
  return (
    <Card
      title={clock ? 'Window' : 'This window'}
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
          {unreachable ? 'Its clock is shown once the validator answers.' : 'Asking the validator for its clock.'}
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
        <strong data-testid="phase">{clock.phase}</strong>
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
            <span className={styles['name']}>{phase}</span>
          </li>
        ))}
      </ol>
      <p className="soft">{MEANINGS[clock.phase]}</p>
    </div>
  );
}
