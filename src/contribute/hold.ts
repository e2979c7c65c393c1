/** The rules that hold the device still though nobody pressed Pause: pure functions of what is so and what was chosen. */

/** Weekly hours in which the device may work. Times are minutes since midnight, local; an end before the start is the next day. */
export interface Schedule {
  /** Monday first. */
  readonly days: readonly boolean[];
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface HoldRules {
  readonly onlyOnPower: boolean;
  /** Undefined: at any time. */
  readonly schedule: Schedule | undefined;
}

export interface Conditions {
  /** Undefined where the browser does not say. */
  readonly onBattery: boolean | undefined;
  /** Local time. */
  readonly now: Date;
}

export type Hold =
  | { readonly kind: 'battery' }
  /** `until`: milliseconds since the epoch; null when no day is chosen. */
  | { readonly kind: 'schedule'; readonly until: number | null };

const DAY_MINUTES = 24 * 60;
const WEEK_DAYS = 7;

/** 0 for Monday. */
const weekday = (date: Date): number => (date.getDay() + 6) % WEEK_DAYS;
const minuteOf = (date: Date): number => date.getHours() * 60 + date.getMinutes();

/** Whether the device may work at that time. The same time twice means the whole day. */
export function isOpen({ days, fromMinute, toMinute }: Schedule, at: Date): boolean {
  const minute = minuteOf(at);
  const today = days[weekday(at)] ?? false;
  if (fromMinute === toMinute) return today;
  if (fromMinute < toMinute) return today && minute >= fromMinute && minute < toMinute;
  const yesterday = days[(weekday(at) + WEEK_DAYS - 1) % WEEK_DAYS] ?? false;
  return (today && minute >= fromMinute) || (yesterday && minute < toMinute);
}

/** When it may next work, from a time when it may not; null when it never may. */
export function opensAt(schedule: Schedule, from: Date): number | null {
  for (let day = 0; day <= WEEK_DAYS; day++) {
    const at = new Date(from);
    at.setDate(from.getDate() + day);
    const minute = schedule.fromMinute === schedule.toMinute ? 0 : schedule.fromMinute % DAY_MINUTES;
    at.setHours(Math.floor(minute / 60), minute % 60, 0, 0);
    if (at > from && isOpen(schedule, at)) return at.getTime();
  }
  return null;
}

/** The first rule that holds the device still. */
export function holdOf({ onlyOnPower, schedule }: HoldRules, { onBattery, now }: Conditions): Hold | undefined {
  if (onlyOnPower && onBattery === true) return { kind: 'battery' };
  if (schedule && !isOpen(schedule, now)) return { kind: 'schedule', until: opensAt(schedule, now) };
  return undefined;
}
