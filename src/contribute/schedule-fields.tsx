/** The hours of the week in which the device may work. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { choose } from '../platform/preferences.ts';
import { localised } from '../ui/format.ts';
import type { Schedule } from './hold.ts';
import styles from './preferences-card.module.css';

const weekdayName = localised((locale) => new Intl.DateTimeFormat(locale, { weekday: 'short' }));
/** A Monday. */
const MONDAY = new Date(2024, 0, 1);

const dayName = (day: number): string =>
  weekdayName().format(new Date(MONDAY.getFullYear(), MONDAY.getMonth(), MONDAY.getDate() + day));
const two = (value: number): string => String(value).padStart(2, '0');
const clockOf = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

function minuteOf(clock: string): number | undefined {
  const [, hours, minutes] = /^(\d{2}):(\d{2})/.exec(clock) ?? [];
  return hours === undefined || minutes === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

export function ScheduleFields({ schedule }: { schedule: Schedule }) {
  const change = (part: Partial<Schedule>): void => {
    const next = { ...schedule, ...part };
    choose({ schedule: { ...next, days: [...next.days] } });
  };
  return (
    <div className={styles['schedule']}>
      <fieldset className={styles['days']}>
        <legend className="visually-hidden">
          <Trans>Days</Trans>
        </legend>
        {schedule.days.map((on, day) => (
          <label key={dayName(day)}>
            <input
              type="checkbox"
              className="visually-hidden"
              checked={on}
              onChange={(event) => change({ days: schedule.days.with(day, event.target.checked) })}
            />
            {dayName(day)}
          </label>
        ))}
      </fieldset>
      <div className={styles['times']}>
        <Time label={t`From`} minute={schedule.fromMinute} onChange={(fromMinute) => change({ fromMinute })} />
        <Time label={t`until`} minute={schedule.toMinute} onChange={(toMinute) => change({ toMinute })} />
      </div>
      <p className="soft">
        {schedule.toMinute === schedule.fromMinute ? (
          <Trans>All day on the days chosen.</Trans>
        ) : schedule.toMinute < schedule.fromMinute ? (
          <Trans>Ends on the next day.</Trans>
        ) : (
          <Trans>By this machine’s clock.</Trans>
        )}
      </p>
    </div>
  );
}

function Time({ label, minute, onChange }: { label: string; minute: number; onChange: (minute: number) => void }) {
  return (
    <label>
      {label}
      <input
        type="time"
        value={clockOf(minute)}
        onChange={(event) => {
          const chosen = minuteOf(event.target.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      />
    </label>
  );
}
