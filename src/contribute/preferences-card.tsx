/** How this device takes part: how hard, with how much memory, and when. Remembered on it. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { useStore } from 'zustand';
import { useApp, useContribute } from '../client/app-context.ts';
import { batteryIsKnown } from '../platform/power.ts';
import { choose, preferences, type Preferences } from '../platform/preferences.ts';
import { Card } from '../ui/card.tsx';
import { classes } from '../ui/classes.ts';
import styles from './preferences-card.module.css';
import { ScheduleFields } from './schedule-fields.tsx';
import { ThrottleSlider } from './throttle-slider.tsx';

export function PreferencesCard() {
  const chosen = useStore(preferences);
  return (
    <Card title={t`How this device takes part`} intro={t`Remembered in this browser. Changes take effect at once.`}>
      <div className={styles['rows']}>
        <ThrottleSlider />
        <MemoryLimit />
        <Switch name="onlyOnPower" on={chosen.onlyOnPower} label={t`Only while plugged in`}>
          {batteryIsKnown() ? (
            <Trans>On its battery the device rests, and goes on when it is plugged in.</Trans>
          ) : (
            <Trans>This browser does not tell pages about the battery, so this changes nothing here.</Trans>
          )}
        </Switch>
        <Switch name="scheduled" on={chosen.scheduled} label={t`Only at certain hours`}>
          <Trans>Outside of them the device rests; the run is followed.</Trans>
        </Switch>
        {chosen.scheduled && <ScheduleFields schedule={chosen.schedule} />}
        <Switch name="keepAwake" on={chosen.keepAwake} label={t`Keep the screen on while training`}>
          <Trans>A laptop that goes to sleep trains nothing.</Trans>
        </Switch>
        <Switch name="background" on={chosen.background} label={t`Full speed while hidden`}>
          <HiddenCost />
        </Switch>
        <Switch name="comeBack" on={chosen.comeBack} label={t`Go on when this page is opened again`}>
          <Trans>If it was training when it was closed, it says so and goes on after a moment.</Trans>
        </Switch>
      </div>
    </Card>
  );
}

type SwitchName = { [Key in keyof Preferences]: Preferences[Key] extends boolean ? Key : never }[keyof Preferences];

function Switch({ name, on, label, children }: { name: SwitchName; on: boolean; label: string; children: ReactNode }) {
  const id = useId();
  return (
    <div className={styles['switch']}>
      <input
        type="checkbox"
        id={id}
        aria-describedby={`${id}-about`}
        data-testid={`prefer-${name}`}
        checked={on}
        onChange={(event) => choose({ [name]: event.target.checked })}
      />
      <label htmlFor={id}>{label}</label>
      <p id={`${id}-about`} className="soft">
        {children}
      </p>
    </div>
  );
}

/** What a hidden tab costs, in this tab's own figures where there are any. */
function HiddenCost() {
  const { visible, hidden } = useContribute((state) => state.speeds);
  const share = visible !== undefined && hidden !== undefined ? Math.round((hidden / visible) * 100) : undefined;
  return (
    <>
      <Trans>
        Browsers slow hidden tabs down, often to less than half, but not one that plays sound. This plays a tone too low
        and too quiet to hear while the tab trains unseen; the browser shows a loudspeaker on it.
      </Trans>{' '}
      {share !== undefined && <Trans>Measured here: hidden, this tab ran at {share} % of its speed.</Trans>}
    </>
  );
}

const MEMORY_CODES = new Set(['DoesNotFitError', 'GpuMemoryError']);

/** A failure that this control would mend makes it stand out. */
function MemoryLimit() {
  const { controller } = useApp();
  const { memoryMib } = useStore(preferences);
  const wanted = useContribute(
    ({ status }) => status.kind === 'failed' && status.code !== undefined && MEMORY_CODES.has(status.code),
  );
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    controller.setMemoryLimit(memoryMib ?? undefined);
  }, [controller, memoryMib]);
  useEffect(() => {
    if (wanted) input.current?.focus();
  }, [wanted]);
  return (
    <div className={classes(styles['memory'], wanted && styles['wanted'])}>
      <label htmlFor={id}>
        <Trans>Graphics memory, at most (MiB)</Trans>
      </label>
      <input
        ref={input}
        id={id}
        type="number"
        inputMode="numeric"
        data-testid="memory-limit"
        min={64}
        max={1_048_576}
        step={64}
        placeholder={t`as the browser says`}
        aria-describedby={`${id}-about`}
        defaultValue={memoryMib ?? ''}
        onChange={(event) => {
          const value = event.target.valueAsNumber;
          choose({ memoryMib: Number.isInteger(value) && event.target.validity.valid ? value : null });
        }}
      />
      <p id={`${id}-about`} className="soft">
        <Trans>From the next start on. A model that needs more is refused, with what it would need.</Trans>
      </p>
    </div>
  );
}
