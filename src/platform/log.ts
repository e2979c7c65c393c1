/**
 * What went wrong lately in this tab, for a report that somebody attaches to an issue. Kept in memory alone, bounded, and
 * without long identifiers: keys' secrets never pass here, and what is public is shortened all the same.
 */
import { shorten } from '../ui/format.ts';

export type LogLevel = 'info' | 'warning' | 'error';

export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  /** Which part of the app said it. */
  readonly source: string;
  readonly text: string;
}

export interface Log {
  /** Oldest first. */
  readonly entries: () => readonly LogEntry[];
  readonly note: (entry: LogEntry) => void;
}

const MAX_ENTRIES = 200;
const MAX_TEXT = 500;
const LONG_IDENTIFIER = /[0-9A-Za-z]{40,}/g;

export function createLog(maxEntries = MAX_ENTRIES): Log {
  const kept: LogEntry[] = [];
  return {
    entries: () => [...kept],
    note(entry) {
      const text = entry.text.slice(0, MAX_TEXT).replace(LONG_IDENTIFIER, (identifier) => shorten(identifier));
      kept.push({ ...entry, text });
      if (kept.length > maxEntries) kept.shift();
    },
  };
}

/** The page's own. */
export const log = createLog();

function textOf(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}

/** Notes errors that nobody caught, for as long as the page lives. */
export function logUncaught(target: Pick<Window, 'addEventListener'> = window, into: Log = log): void {
  target.addEventListener('error', ({ message }) =>
    into.note({ atMs: Date.now(), level: 'error', source: 'page', text: message }),
  );
  target.addEventListener('unhandledrejection', ({ reason }) =>
    into.note({ atMs: Date.now(), level: 'error', source: 'page', text: textOf(reason) }),
  );
}
