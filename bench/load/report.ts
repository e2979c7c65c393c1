/** What `npm run bench:load` writes: figures as JSON, and the same as a document. */
import type { RouteFigures, ServerMessage } from './messages.ts';

/** Milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Number((sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(2));
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** An event on its way to all watchers; times from its handing over to the streams. */
export interface FanOut {
  readonly event: string;
  readonly expected: number;
  readonly delivered: number;
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
}

export interface LoadWindow {
  readonly window: number;
  readonly participants: number;
  readonly evaluated: number;
  readonly overrunMs: number;
  readonly receipts: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly retries: Readonly<Record<string, number>>;
  readonly ticket: Latency;
  readonly upload: Latency;
  /** From the opening of the put phase. */
  readonly receipt: Latency;
  /** The newest outer step, had by each of the peers. */
  readonly step: Latency;
}

/** Something as it was at first and as it is now, in milliseconds: of a processor, or of the clock where a disk is waited for. */
export interface WayFigures {
  readonly what: string;
  readonly unit: 'processor' | 'clock';
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly ratio: number;
}

export interface LoadReport {
  readonly version: 1;
  readonly date: string;
  readonly command: string;
  readonly commit: string | null;
  readonly machine: { readonly processor: string; readonly threads: number; readonly system: string };
  readonly node: string;
  /** Others were at work on the machine; as `--busy` says. */
  readonly busy: boolean;
  /** Of the machine before it began: processes that want a processor. */
  readonly loadBefore: number;
  readonly preset: string;
  readonly window: { readonly trainSeconds: number; readonly putSeconds: number };
  readonly peers: number;
  readonly watchers: { readonly wanted: number; readonly connected: number; readonly connectSeconds: number };
  readonly guests: Latency & {
    readonly wanted: number;
    readonly seconds: number;
    readonly lost: Record<string, number>;
  };
  readonly windows: readonly LoadWindow[];
  /** Window ends that went by without a window published, and peers' windows without a receipt. */
  readonly missed: { readonly windows: number; readonly deliveries: number };
  readonly routes: readonly RouteFigures[];
  readonly fanOut: readonly FanOut[];
  readonly stream: {
    readonly broken: number;
    /** Of a watcher and window, on the wire. */
    readonly bytesAWindow: number;
    readonly leaderboardBytesAWindow: number;
    readonly reading: Latency & { readonly failed: number };
    /** From the event to the end of the last reading. */
    readonly lastReadingMs: number;
  };
  readonly ways: readonly WayFigures[];
  readonly server: {
    /** With everybody but the watchers there, and with them. */
    readonly rssBytesWithoutWatchers: number;
    readonly rssBytesWithWatchers: number;
    readonly peakRssBytes: number;
    readonly phases: readonly Omit<Extract<ServerMessage, { type: 'phase' }>, 'type'>[];
  };
}

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
/** Milliseconds, to three digits below a hundred. */
const ms = (value: number): string => number(value, value < 10 ? 1 : 0);
const mebibytes = (bytes: number): string => number(bytes / 2 ** 20);
const kibibytes = (bytes: number): string => number(bytes / 1_024, 1);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** What went wrong how often, in words. */
function counts(all: readonly Readonly<Record<string, number>>[]): string {
  const sums = new Map<string, number>();
  for (const some of all)
    for (const [what, times] of Object.entries(some)) sums.set(what, (sums.get(what) ?? 0) + times);
  return [...sums].map(([what, times]) => `${times} ${what}`).join(', ') || 'none';
}

function summaryTable({ windows, peers, guests, watchers, missed, stream, server, fanOut }: LoadReport): string {
  const all = <T>(pick: (window: LoadWindow) => T): T[] => windows.map(pick);
  const expected = fanOut.reduce((sum, { expected: count }) => sum + count, 0);
  const delivered = fanOut.reduce((sum, { delivered: count }) => sum + count, 0);
  return table(
    ['', 'wanted', 'seen'],
    [
      ['windows missed', '0', String(missed.windows)],
      ['receipts', number(windows.length * peers), number(all(({ receipts }) => receipts).reduce((a, b) => a + b, 0))],
      ['contributions judged, each window', String(peers), all(({ participants }) => participants).join(', ')],
      ['evaluated, each window', '', all(({ evaluated }) => evaluated).join(', ')],
      [
        'from the end of the put phase to publication, s',
        '',
        all(({ overrunMs }) => number(overrunMs / 1_000, 1)).join(', '),
      ],
      [
        'last receipt after the put phase opens, s',
        '',
        all(({ receipt }) => number(receipt.max / 1_000, 1)).join(', '),
      ],
      [`guests that joined within ${number(guests.seconds)} s`, number(guests.wanted), number(guests.count)],
      ['watchers at once', number(watchers.wanted), number(watchers.connected)],
      ['events delivered', number(expected), number(delivered)],
      ['streams that broke', '0', number(stream.broken)],
      ['leaderboards that could not be read', '0', number(stream.reading.failed)],
      ['memory of the validator at most, MiB', '', mebibytes(server.peakRssBytes)],
    ],
  );
}

function routeTable({ routes, windows, guests, stream }: LoadReport): string {
  const merged = (pick: (window: LoadWindow) => Latency): readonly string[] => {
    const each = windows.map(pick);
    const worst = (of: (latency: Latency) => number): string => ms(Math.max(...each.map(of)));
    return [
      number(each.reduce((sum, { count }) => sum + count, 0)),
      worst(({ p50 }) => p50),
      worst(({ p99 }) => p99),
      worst(({ max }) => max),
    ];
  };
  const own = ({ count, p50, p99, max }: Latency): readonly string[] => [number(count), ms(p50), ms(p99), ms(max)];
  return table(
    ['route', 'answers', 'p50', 'p99', 'longest'],
    [
      ...routes.map(({ name, requests, failed, p50Ms, p99Ms, maxMs }) => [
        failed > 0 ? `${name} (${failed} failed)` : name,
        ...own({ count: requests, p50: p50Ms, p99: p99Ms, max: maxMs }),
      ]),
      ['GET /v1/leaderboard, after an event', ...own(stream.reading)],
      ['POST /v1/peers: a guest joins', ...own(guests)],
      ['POST /v1/windows/N/contributions: a ticket', ...merged(({ ticket }) => ticket)],
      ['PUT /v1/uploads/ID: first byte to receipt', ...merged(({ upload }) => upload)],
      ['window row and outer step, in the train phase', ...merged(({ step }) => step)],
    ],
  );
}

/** The report as a document; `docs/measurements/load.md` is one. */
export function loadDocument(report: LoadReport): string {
  const { machine, window, peers, guests, watchers, windows, stream, fanOut, ways, server } = report;
  const wholeSeconds = window.trainSeconds + window.putSeconds;
  return `# A validator under load

\`\`\`sh
${report.command}
\`\`\`

writes this document and \`load.json\`. ${report.date.slice(0, 10)}, commit ${report.commit ?? 'unknown'}, ${machine.processor}, ${machine.threads} threads,
${machine.system}, Node ${report.node}. Processes that wanted a processor before it began: ${number(report.loadBefore, 1)}.
${report.busy ? '**Taken on a busy machine**: others were at work on the same two threads, so times say little and counts say what they say.\n' : ''}
A run of \`${report.preset}\` with its windows of ${wholeSeconds} s (${window.trainSeconds} s to train, ${window.putSeconds} s to put), SQLite and a folder; nothing
but loopback. Measured over ${windows.length} windows, after a first one in which everybody came:

- **${number(peers)} peers**: the contributor's own joining, clock and delivery, retries included. All begin to upload in the moment the put phase
  opens. What they upload is drawn, not trained: right in shape, root, sync sample, pages and signature, and different for each, so all
  fast checks and the loss scores of those drawn really run.
- **${number(guests.wanted)} guests** that join evenly over a minute of the first measured window, and stay.
- **${number(watchers.wanted)} watchers**: sockets in processes of their own that parse every event, and read the leaderboard after an event as a page
  does: packed, and spread over the time that the event says.
- **Polls**: \`GET /v1/clock\` as often as the pages of so many watchers ask for it, and the whole leaderboard ten times a second
  besides, by autocannon, which counts the time that a late answer kept the next question waiting.

**The load is made on the two threads that it is made for**: peers, watchers and autocannon take more of them than the validator does. Times are
those of a machine that does both, and an upper bound for a validator that has two threads to itself.

${summaryTable(report)}

Attempts of peers that had to be made again: ${counts(windows.map(({ retries }) => retries))}. Peers' windows lost: ${counts(windows.map(({ lost }) => lost))}.
Guests that were not let in: ${counts([guests.lost])}.

## How long answers take

Milliseconds, as whoever asked saw them. Of tickets, uploads and steps the worst of the windows.

${routeTable(report)}

## Events

From the moment an event is given to the streams, in milliseconds. The first watcher has it at *first*, the last at *last*.

${table(
  ['event', 'expected', 'delivered', 'first', 'p50', 'p99', 'last'],
  fanOut.map(({ event, expected, delivered, firstMs, p50Ms, p99Ms, lastMs }) => [
    event,
    number(expected),
    number(delivered),
    ms(firstMs),
    ms(p50Ms),
    ms(p99Ms),
    ms(lastMs),
  ]),
)}

A watcher costs ${kibibytes(stream.bytesAWindow)} KiB of events a window, and ${kibibytes(stream.leaderboardBytesAWindow)} KiB for a leaderboard of ${number(peers + guests.count)} peers. The last of them had read it
${number(stream.lastReadingMs / 1_000, 1)} s after the event. ${number(watchers.connected)} watchers came within ${number(watchers.connectSeconds)} s.
While they came the validator grew by ${kibibytes((server.rssBytesWithWatchers - server.rssBytesWithoutWatchers) / Math.max(1, watchers.connected))} KiB a watcher.

## The validator, by phase

Processor: its own share, in processors. The event loop's delay is \`perf_hooks.monitorEventLoopDelay\` less its own period.

${table(
  ['window, phase', 'seconds', 'processors', 'late, p99 ms', 'late, longest ms', 'memory, MiB'],
  server.phases.map(({ window: n, phase, seconds, cpu, lateP99Ms, lateMaxMs, peakRssBytes }) => [
    `${n}, ${phase}`,
    number(seconds, 1),
    number(cpu, 2),
    ms(lateP99Ms),
    ms(lateMaxMs),
    mebibytes(peakRssBytes),
  ]),
)}

## What it was before

Each beside its first version, in one process and one run, in turn; medians. Milliseconds of a processor, which a busy machine changes
little; of the clock where a disk is waited for.

${table(
  ['what', 'before', 'now', 'ratio'],
  ways.map(({ what, unit, beforeMs, afterMs, ratio }) => [
    unit === 'clock' ? `${what} (clock)` : what,
    ms(beforeMs),
    ms(afterMs),
    `${number(ratio, 1)}x`,
  ]),
)}
`;
}
