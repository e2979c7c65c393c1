/** What `gauntlet status` shows, as lines of text: nothing here knows of a terminal but its size. */
import { styleText } from 'node:util';
import type { WindowSummary } from '../../../core/protocol/api.ts';
import type { ProcessFigures, Snapshot } from './snapshot.ts';

export interface ViewOptions {
  readonly columns: number;
  /** As many lines as there is room for; Infinity where it is not a terminal. */
  readonly rows: number;
  readonly colour: boolean;
  /** Milliseconds since the epoch, here. */
  readonly now: number;
  readonly url: string;
  /** Why nothing newer is known, and since when. */
  readonly failure?: { readonly reason: string; readonly since: number } | undefined;
}

type Style = Parameters<typeof styleText>[0];

const BARS = '▁▂▃▄▅▆▇█';
const LEAST_COLUMNS = 24;
/** A shorter bar says nothing. */
const LEAST_BAR = 6;
const SHOWN_WINDOWS = 5;
const SHOWN_PEERS = 10;

/** A stranger's text: nothing in it moves a cursor, turns a line around or hides what follows. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '');
}

/** A value a column, each the mean of what falls into it; lowest and highest fill the height. */
export function sparkline(values: readonly number[], columns: number): string {
  const shown = Math.min(columns, values.length);
  const means = Array.from({ length: shown }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / shown), Math.floor(((i + 1) * values.length) / shown));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const low = Math.min(...means);
  const high = Math.max(...means);
  const height = (value: number): number =>
    high === low ? 0 : Math.round(((value - low) / (high - low)) * (BARS.length - 1));
  return means.map((value) => BARS[height(value)]).join('');
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const unit = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (10 * unit);
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${units[unit]!}`;
}

const count = (value: number): string => value.toLocaleString('en');

function bar(share: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return '█'.repeat(full) + '░'.repeat(columns - full);
}

interface PhaseProgress {
  /** Null where the phase lasts as long as it takes. */
  readonly share: number | null;
  readonly text: string;
}

/** @param now milliseconds since the epoch, of the validator */
export function progressOf(
  { phase, opensAt, putOpensAt, putClosesAt, blocks }: Snapshot['clock'],
  now: number,
): PhaseProgress {
  const [opens, putOpens, putCloses] = [opensAt, putOpensAt, putClosesAt].map((instant) => Date.parse(instant)) as [number, number, number]; // prettier-ignore
  if (phase === 'judge' || phase === 'publish') return { share: null, text: `for ${duration(now - putCloses)}` };
  const [from, to] = phase === 'train' ? [opens, putOpens] : [putOpens, putCloses];
  const about = blocks ? 'about ' : '';
  if (now > to) return { share: 1, text: `${duration(now - to)} over` };
  return { share: (now - from) / Math.max(1, to - from), text: `${about}${duration(to - now)} left` };
}

/** One line of two ends; the right one goes where there is no room. */
function ends(left: string, right: string, columns: number): string {
  const gap = columns - left.length - right.length;
  return gap < 2 ? clip(left, columns) : left + ' '.repeat(gap) + right;
}

function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** Parts of a line, as many to a line as fit. */
function flow(parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + part.length <= columns) lines[lines.length - 1] = `${last} · ${part}`;
    else lines.push(clip(part, columns));
  }
  return lines;
}

interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  readonly left?: boolean;
  /** The first to go where there is no room has the highest. */
  readonly goes: number;
}

function table<T>(rows: readonly T[], all: readonly Column<T>[], columns: number): [head: string, ...rows: string[]] {
  let shown = all.map((column) => ({ ...column, cells: rows.map(column.cell) }));
  const widthOf = ({ title, cells }: (typeof shown)[number]): number =>
    Math.max(title.length, ...cells.map((cell) => cell.length));
  const total = (): number => shown.reduce((sum, column) => sum + widthOf(column) + 2, -2);
  while (shown.length > 1 && total() > columns) {
    const worst = Math.max(...shown.map(({ goes }) => goes));
    shown = shown.filter(({ goes }) => goes !== worst);
  }
  const line = (cells: readonly string[]): string =>
    clip(cells.map((cell, i) => (shown[i]!.left ? cell.padEnd(widthOf(shown[i]!)) : cell.padStart(widthOf(shown[i]!)))).join('  ').trimEnd(), columns); // prettier-ignore
  return [line(shown.map(({ title }) => title)), ...rows.map((_, i) => line(shown.map(({ cells }) => cells[i]!)))];
}

const nats = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
const orDash = (value: number | null): string => (value === null ? '–' : count(value));

const WINDOW_COLUMNS: readonly Column<WindowSummary>[] = [
  { title: 'window', cell: ({ window }) => String(window), goes: 0 },
  { title: 'loss', cell: ({ lossBefore, lossAfter }) => `${nats(lossBefore)} → ${nats(lossAfter)}`, goes: 3 },
  { title: 'contributed', cell: ({ participants }) => orDash(participants), goes: 1 },
  { title: 'aggregated', cell: ({ aggregated }) => count(aggregated), goes: 2 },
  { title: 'refused', cell: ({ rejected }) => orDash(rejected), goes: 4 },
  { title: 'evaluated', cell: ({ evaluated }) => orDash(evaluated), goes: 5 },
];

type Peer = Snapshot['leaderboard'][number];

const PEER_COLUMNS: readonly Column<Peer>[] = [
  { title: 'rank', cell: ({ rank }) => (rank === null ? '–' : String(rank)), goes: 0 },
  { title: 'hotkey', cell: ({ hotkey }) => `${plain(hotkey).slice(0, 8)}…${plain(hotkey).slice(-4)}`, left: true, goes: 1 },
  { title: 'score', cell: ({ peerScore }) => peerScore.toPrecision(3), goes: 3 },
  { title: 'weight', cell: ({ weight }) => `${(100 * weight).toFixed(1)} %`, goes: 2 },
  { title: 'rating', cell: ({ rating }) => `${rating.mu.toFixed(1)} ± ${rating.sigma.toFixed(1)}`, goes: 4 },
  { title: 'last', cell: ({ lastDelivered }) => (lastDelivered === 0 ? '–' : String(lastDelivered)), goes: 6 },
  { title: 'trend', cell: ({ trend }) => sparkline(trend, 16), left: true, goes: 5 },
]; // prettier-ignore

function processParts(figures: ProcessFigures): string[] {
  const { drives, takeovers, evaluators, lanes, jobsWaiting, evaluationsPerMinute } = figures;
  const said = (value: number | null, text: (value: number) => string): string[] =>
    value === null ? [] : [text(value)];
  return [
    ...(drives === null ? [] : [drives ? 'drives the windows' : 'another process drives the windows']),
    ...said(takeovers !== null && takeovers > 1 ? takeovers : null, (n) => `took over ${count(n)} times`),
    ...said(evaluators, (n) => `${count(n)} evaluators with ${count(lanes ?? 0)} lanes`),
    ...said(jobsWaiting, (n) => `${count(n)} measurements waited for`),
    ...said(evaluationsPerMinute, (n) => `${n.toPrecision(3)} evaluations a minute`),
    ...said(figures.uploadsAccepted, (n) => `${count(n)} uploads taken, ${size(figures.uploadBytes ?? 0)}`),
    ...said(figures.uploadsRefused, (n) => `${count(n)} refused`),
    ...said(figures.connections, (n) => `${count(n)} connections, ${count(figures.listeners ?? 0)} listen to events`),
    ...said(figures.requests, (n) => `${count(n)} requests`),
    ...said(figures.memoryBytes, (n) => `${size(n)} of memory`),
    ...said(figures.diskFreeBytes, (n) => `${size(n)} free on the disk`),
  ];
}

/** What went wrong since the process began. */
function troubles({
  judgeFailures,
  jobsFailed,
  databaseErrors,
  blobErrors,
  diskFreeBytes,
  diskSizeBytes,
}: ProcessFigures): string[] {
  const some = (value: number | null, what: string): string[] =>
    value !== null && value > 0 ? [`${count(value)} ${what}`] : [];
  return [
    ...some(judgeFailures, 'judgements failed'),
    ...some(jobsFailed, 'measurements of evaluators failed'),
    ...some(databaseErrors, 'calls to the database failed'),
    ...some(blobErrors, 'calls to the blobs failed'),
    ...(diskFreeBytes !== null && diskSizeBytes !== null && diskFreeBytes < 0.05 * diskSizeBytes ? ['the disk is nearly full'] : []),
  ]; // prettier-ignore
}

type Paint = (format: Style, lines: readonly string[]) => string[];

/** Whose run it is, and whether all is well. */
function headLines(
  snapshot: Snapshot,
  { url }: ViewOptions,
  failed: readonly string[],
  columns: number,
  paint: Paint,
): string[] {
  const ready =
    snapshot.unready === null
      ? paint('green', ['ready'])
      : paint('red', flow([`not ready: ${plain(snapshot.unready)}`], columns));
  return [
    ...paint('bold', [ends(`Gauntlet · ${plain(snapshot.name)}`, plain(url), columns)]),
    ...paint('dim', [ends(`run ${snapshot.run}`, snapshot.preset, columns)]),
    ...(failed.length > 0 ? failed : ready),
  ];
}

/** The open window, and the loss so far. */
function windowLines({ clock, windows }: Snapshot, serverNow: number, columns: number, paint: Paint): string[] {
  const { blocks } = clock;
  const { share, text } = progressOf(clock, serverNow);
  const title = `Window ${clock.window}  ${clock.phase.padEnd(7)}`;
  const room = columns - title.length - text.length - 3;
  const drawn =
    share === null ? ' '.repeat(Math.max(0, room)) : paint('cyan', [bar(share, Math.max(0, room))]).join('');
  const losses = windows.flatMap(({ lossAfter }) => (lossAfter === null ? [] : [lossAfter]));
  const { lossBefore = null, lossAfter = null } = windows.at(-1) ?? {};
  const change = lossBefore === null || lossAfter === null ? 0 : lossAfter - lossBefore;
  const loss = `Loss ${nats(lossAfter)}`;
  const changed = change === 0 ? '' : `${change > 0 ? '+' : '−'}${Math.abs(change).toFixed(4)}`;
  const course = sparkline(losses, Math.max(0, columns - loss.length - changed.length - 4));
  return [
    room < LEAST_BAR ? clip(`${title.trimEnd()}, ${text}`, columns) : `${title} ${drawn}  ${text}`,
    ...(blocks
      ? [clip(`Block ${blocks.head ?? '–'}; uploads ${blocks.putOpens} to ${blocks.putCloses}`, columns)]
      : []),
    [loss, ...paint('cyan', [course]), ...paint(change > 0 ? 'yellow' : 'green', [changed])].join('  ').trimEnd(),
  ];
}

function processLines({ process, processUnknown }: Snapshot, columns: number, paint: Paint): string[] {
  if (!process) return paint('dim', flow([`the process’s own figures: ${plain(processUnknown ?? '')}`], columns));
  return [...paint('dim', flow(processParts(process), columns)), ...paint('yellow', flow(troubles(process), columns))];
}

/** Newest windows and best peers, as many of each as there is room for. */
function listLines({ windows, leaderboard, peers }: Snapshot, rows: number, columns: number, paint: Paint): string[] {
  // Two heads and the line between them.
  const room = rows - 3;
  const forPeers = Math.min(SHOWN_PEERS, leaderboard.length, Math.max(1, room - SHOWN_WINDOWS));
  const forWindows = Math.min(SHOWN_WINDOWS, windows.length, Math.max(1, room - forPeers));
  const [windowHead, ...windowRows] = table([...windows].reverse().slice(0, forWindows), WINDOW_COLUMNS, columns);
  const [peerHead, ...peerRows] = table(leaderboard.slice(0, forPeers), PEER_COLUMNS, columns);
  const all = peers > forPeers ? ends(peerHead, `${count(peers)} peers`, columns) : peerHead;
  return [...paint('dim', [windowHead]), ...windowRows, '', ...paint('dim', [all]), ...peerRows];
}

/** The whole view. Lines are no longer than the columns, and no more than the rows. */
export function statusLines(snapshot: Snapshot | undefined, options: ViewOptions): string[] {
  const { rows, colour, now, url, failure } = options;
  const columns = Math.max(LEAST_COLUMNS, options.columns);
  const paint: Paint = (format, lines) =>
    lines.filter((line) => line !== '').map((line) => (colour ? styleText(format, line) : line));
  const failed = failure
    ? paint('red', flow([plain(failure.reason), `asked again since ${duration(now - failure.since)}`], columns))
    : [];
  if (!snapshot) return [...paint('bold', [clip(`Gauntlet · ${plain(url)}`, columns)]), ...failed].slice(0, rows);
  const serverNow = Date.parse(snapshot.clock.serverTime) + now - snapshot.at;
  const head = [...headLines(snapshot, options, failed, columns, paint), ''];
  const middle = [...windowLines(snapshot, serverNow, columns, paint), ''];
  const foot = ['', ...processLines(snapshot, columns, paint)];
  const left = rows - head.length - middle.length - foot.length;
  return [...head, ...middle, ...listLines(snapshot, left, columns, paint), ...foot].slice(0, rows);
}
