import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOf, isOpen, opensAt, type Schedule } from './hold.ts';

const WEEKDAYS = [true, true, true, true, true, false, false];
const OFFICE: Schedule = { days: WEEKDAYS, fromMinute: 9 * 60, toMinute: 17 * 60 };
const NIGHT: Schedule = { days: WEEKDAYS, fromMinute: 22 * 60, toMinute: 7 * 60 };
// A Monday.
const at = (day: number, hour: number, minute = 0): Date => new Date(2026, 5, 1 + day, hour, minute);

describe('schedule', () => {
  it('is open within its hours on its days', () => {
    expect(isOpen(OFFICE, at(0, 9))).toBe(true);
    expect(isOpen(OFFICE, at(0, 8, 59))).toBe(false);
    expect(isOpen(OFFICE, at(0, 17))).toBe(false);
    expect(isOpen(OFFICE, at(5, 12))).toBe(false);
  });

  it('over midnight belongs to the day on which it began', () => {
    expect(isOpen(NIGHT, at(0, 23))).toBe(true);
    expect(isOpen(NIGHT, at(0, 3))).toBe(false);
    expect(isOpen(NIGHT, at(5, 3))).toBe(true);
    expect(isOpen(NIGHT, at(5, 23))).toBe(false);
  });

  it('says when it opens next: it does then, and not a minute before', () => {
    const schedules = fc.record({
      days: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      fromMinute: fc.integer({ min: 0, max: 1_439 }),
      toMinute: fc.integer({ min: 0, max: 1_439 }),
    });
    const times = fc.integer({ min: 0, max: 7 * 1_440 - 1 }).map((minute) => at(0, 0, minute));
    fc.assert(
      fc.property(schedules, times, (schedule, now) => {
        fc.pre(!isOpen(schedule, now));
        const next = opensAt(schedule, now);
        if (next === null) {
          expect(schedule.days).not.toContain(true);
          return;
        }
        expect(isOpen(schedule, new Date(next))).toBe(true);
        expect(isOpen(schedule, new Date(next - 60_000))).toBe(false);
        expect(next).toBeGreaterThan(now.getTime());
      }),
    );
  });
});

describe('hold', () => {
  const rules = { onlyOnPower: true, schedule: OFFICE };

  it('is for the first rule that says so', () => {
    expect(holdOf(rules, { onBattery: true, now: at(0, 3) })).toEqual({ kind: 'battery' });
    expect(holdOf(rules, { onBattery: false, now: at(0, 3) })).toEqual({
      kind: 'schedule',
      until: at(0, 9).getTime(),
    });
    expect(holdOf(rules, { onBattery: undefined, now: at(0, 10) })).toBeUndefined();
    expect(holdOf({ onlyOnPower: false, schedule: undefined }, { onBattery: true, now: at(0, 3) })).toBeUndefined();
  });

  it('of a schedule without a day never ends', () => {
    const never = { ...OFFICE, days: WEEKDAYS.map(() => false) };
    expect(holdOf({ onlyOnPower: false, schedule: never }, { onBattery: false, now: at(0, 10) })).toEqual({
      kind: 'schedule',
      until: null,
    });
  });
});
