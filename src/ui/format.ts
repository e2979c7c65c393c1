/** Numbers and times as people read them, in the language of the page. */
import { i18n } from '@lingui/core';

/** British English: the app's own. */
const REGIONS: Readonly<Record<string, string>> = { en: 'en-GB' };

/** A formatter of the language that is shown; each language's is made once. */
export function localised<Formatter>(make: (locale: string) => Formatter): () => Formatter {
  const made = new Map<string, Formatter>();
  return () => {
    const locale = REGIONS[i18n.locale || 'en'] ?? i18n.locale;
    const formatter = made.get(locale) ?? make(locale);
    made.set(locale, formatter);
    return formatter;
  };
}

const integer = localised((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));
const compact = localised(
  (locale) =>
    // British English writes a million as "m", which reads as milli.
    new Intl.NumberFormat(locale === 'en-GB' ? 'en-US' : locale, {
      notation: 'compact',
      maximumSignificantDigits: 3,
    }),
);
const percent = localised((locale) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }));
const figure = localised(
  (locale) =>
    new Intl.NumberFormat(locale, { maximumSignificantDigits: 4, useGrouping: false, signDisplay: 'negative' }),
);
const decimals = localised(
  (locale) =>
    new Map(
      Array.from({ length: 9 }, (_, digits) => [
        digits,
        new Intl.NumberFormat(locale, {
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
          useGrouping: false,
          // No minus sign before what rounds to zero.
          signDisplay: 'negative',
        }),
      ]),
    ),
);
const clock = localised(
  (locale) => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
);

const dayAndTime = localised(
  (locale) => new Intl.DateTimeFormat(locale, { weekday: 'short', hour: '2-digit', minute: '2-digit' }),
);

/** For what is not known yet. */
export const UNKNOWN = '–';

const withMinus = (text: string): string => text.replace('-', '−');

export function formatInteger(value: number): string {
  return integer().format(value);
}

export function formatCompact(value: number): string {
  return compact().format(value);
}

/** With a real minus sign. @param digits 0 to 8 */
export function formatDecimal(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return withMinus(decimals().get(digits)!.format(value));
}

/** As many digits as tell something. */
export function formatFigure(value: number): string {
  return withMinus(figure().format(value));
}

export function formatSigned(value: number, digits = 3): string {
  return value > 0 ? `+${formatDecimal(value, digits)}` : formatDecimal(value, digits);
}

export function formatPercent(fraction: number): string {
  return percent().format(fraction);
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${formatInteger(bytes)} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 9.995 ? formatDecimal(value, 1) : formatInteger(value)} ${units[unit]!}`;
}

/** "8 s", "2 min 5 s", "3 h 10 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "0:08", "2:05". */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export function formatTime(instant: string | number): string {
  return clock().format(new Date(instant));
}

/** "Mon 22:00" */
export function formatDayAndTime(instant: string | number): string {
  return dayAndTime().format(new Date(instant));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)} ${count === 1 ? one : many}`;
}

/** The ends of a long identifier. */
export function shorten(text: string, head = 6, tail = 6): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}
