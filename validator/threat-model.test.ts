import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_RATES } from './http/limits.ts';
import { DEFAULT_GUEST_LIMITS } from './rounds/guests.ts';

const root = new URL('../', import.meta.url);
const text = readFileSync(new URL('SECURITY.md', root), 'utf8');

/** Rows of the tables with a column of this name, by the columns' names. */
function rowsWith(column: string): Readonly<Record<string, string>>[] {
  const cells = (line: string): string[] => line.split('|').slice(1, -1).map((cell) => cell.trim()); // prettier-ignore
  const tables = text.split(/\n\n+/).filter((part) => part.startsWith('|'));
  return tables
    .map((table) => table.split('\n').map(cells))
    .filter(([head]) => head!.includes(column))
    .flatMap(([head, , ...rows]) =>
      rows.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i] ?? '']))),
    );
}

const filesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file!);

it('every defence names tests, and every file that is named is there', () => {
  const rows = rowsWith('defence');
  expect(rows.length).toBeGreaterThan(40);
  for (const row of rows) {
    const tests = filesIn(row['test']!);
    expect([row, tests.length > 0]).toEqual([row, true]);
    for (const file of tests) expect([file, /\.(test|spec)\.ts$/.test(file)]).toEqual([file, true]);
  }
  for (const file of filesIn(text)) expect([file, existsSync(new URL(file, root))]).toEqual([file, true]);
});

it('the rates and bounds that it tells are those that hold', () => {
  const told = rowsWith('a minute').map((row) => [row['at once'], row['a minute']]);
  const held = Object.values(DEFAULT_RATES).map(({ burst, perMinute }) => [burst, perMinute].map((n) => n.toLocaleString('en'))); // prettier-ignore
  expect(told.sort()).toEqual(held.sort());
  const guests = new Map(rowsWith('option').map((row) => [row['option'], row['by default']]));
  expect(guests.get('`--guests-per-address`')).toBe(String(DEFAULT_GUEST_LIMITS.perAddress));
  expect(guests.get('`--guest-newcomers`')).toBe(DEFAULT_GUEST_LIMITS.newcomers.toLocaleString('en'));
  expect([guests.get('`--guest-share`'), DEFAULT_GUEST_LIMITS.share]).toEqual(['half', 0.5]);
});
