/** The document of a run of `npm run bench:growth`: tables, fitted slopes, and a plot for each. */
import type { Plot } from '../../simulate/experiments/study.ts';
import { markdownTable, standalone } from '../../simulate/report/documents.ts';
import { plotSvg } from '../../simulate/report/svg.ts';
import type { BenchReport } from '../report.ts';
import { DELIVERING, HISTORY_PEERS, type HistoryFigures } from './history-figures.ts';
import { growthOf, type Point } from './slope.ts';
import type { WindowFigures } from './window.ts';

export interface GrowthReport {
  readonly command: string;
  readonly commit: string | null;
  readonly date: string;
  readonly node: string;
  readonly machine: BenchReport['machine'];
  readonly seconds: number;
  readonly byPeers: readonly WindowFigures[];
  readonly bySize: readonly WindowFigures[];
  readonly byHistory: readonly HistoryFigures[];
}

/** A cost at each size, under its name. */
interface Costs {
  readonly name: string;
  readonly points: readonly Point[];
}

interface Section {
  readonly file: string;
  readonly title: string;
  /** What the sizes are. */
  readonly of: string;
  readonly unit: string;
  readonly costs: readonly Costs[];
  /** Those that the plot has; a plot of all would not be read. */
  readonly plotted: readonly string[];
  readonly format: (value: number) => string;
}

const MIB = 2 ** 20;
const integer = (value: number): string => Math.round(value).toLocaleString('en');
const milliseconds = (value: number): string => (value < 10 ? value.toFixed(2) : integer(value));
const bytes = (value: number): string =>
  value < 10_240
    ? `${integer(value)} B`
    : value < MIB
      ? `${integer(value / 1_024)} KiB`
      : `${(value / MIB).toFixed(1)} MiB`;

/** @param of the costs of one measurement, by name */
function costsOf<T>(
  all: readonly T[],
  size: (one: T) => number,
  of: (one: T) => Readonly<Record<string, number>>,
): Costs[] {
  const names = [...new Set(all.flatMap((one) => Object.keys(of(one))))];
  return names.map((name) => ({
    name,
    points: all.flatMap((one): Point[] => {
      const value = of(one)[name];
      return value === undefined ? [] : [[size(one), value]];
    }),
  }));
}

function tableOf({ of, costs, format }: Section): string {
  const sizes = [...new Set(costs.flatMap(({ points }) => points.map(([size]) => size)))].sort((a, b) => a - b);
  return markdownTable({
    columns: [of, ...sizes.map(integer), 'slope', 'R²'],
    rows: costs.map(({ name, points }) => {
      const found = new Map(points);
      const { slope, r2 } = growthOf(points);
      return [
        name,
        ...sizes.map((size) => (found.has(size) ? format(found.get(size)!) : null)),
        slope.toFixed(2),
        r2.toFixed(2),
      ];
    }),
  });
}

function plotOf({ title, of, unit, costs, plotted }: Section): Plot {
  return {
    title,
    x: of,
    y: unit,
    logarithmic: true,
    series: costs
      .filter(({ name }) => plotted.includes(name))
      .map(({ name, points }) => ({ label: `${name} (${growthOf(points).slope.toFixed(2)})`, points })),
  };
}

const STAGES = ['judgement', 'fast checks', 'norms and sketches', 'search for copies', 'loss scores', 'publication'];

function sectionsOf({ byPeers, bySize, byHistory }: GrowthReport): Section[] {
  const peers = ({ peers: count }: WindowFigures): number => count;
  const size = ({ parameters }: WindowFigures): number => parameters;
  const windows = ({ windows: count }: HistoryFigures): number => count;
  const withMemory = (one: WindowFigures): Record<string, number> => ({ ...one.bytes, 'memory, at most': one.memory });
  return [
    {
      file: 'growth-peers-time',
      title: 'Time by peers',
      of: 'peers',
      unit: 'milliseconds',
      costs: costsOf(byPeers, peers, ({ stages }) => stages),
      plotted: STAGES,
      format: milliseconds,
    },
    {
      file: 'growth-peers-bytes',
      title: 'Bytes by peers',
      of: 'peers',
      unit: 'bytes',
      costs: costsOf(byPeers, peers, withMemory),
      plotted: ['contributions in', 'steps out', 'book', 'leaderboard', 'peer page', 'memory, at most'],
      format: bytes,
    },
    {
      file: 'growth-size-time',
      title: 'Time by parameters',
      of: 'parameters',
      unit: 'milliseconds',
      costs: costsOf(bySize, size, ({ stages, evaluations }) => ({
        ...stages,
        'a loss score': stages['loss scores']! / Math.max(1, evaluations),
      })),
      plotted: [
        'a loss score',
        'fast checks',
        'norms and sketches',
        'search for copies',
        'aggregate, outer step, root',
      ],
      format: milliseconds,
    },
    {
      file: 'growth-size-bytes',
      title: 'Bytes by parameters',
      of: 'parameters',
      unit: 'bytes',
      costs: costsOf(bySize, size, withMemory),
      plotted: ['contribution', 'outer step', 'book', 'memory, at most'],
      format: bytes,
    },
    {
      file: 'growth-history-time',
      title: 'Time by published windows',
      of: 'published windows',
      unit: 'milliseconds',
      costs: costsOf(byHistory, windows, ({ times }) => times),
      plotted: [
        'what a start reads',
        'first leaderboard',
        'peer page',
        'oldest windows listed',
        'a window published',
        'verify, without blobs',
      ],
      format: milliseconds,
    },
    {
      file: 'growth-history-bytes',
      title: 'The database by published windows',
      of: 'published windows',
      unit: 'bytes',
      costs: costsOf(byHistory, windows, ({ database }) => ({ database })),
      plotted: ['database'],
      format: bytes,
    },
  ];
}

const TEXT: Readonly<Record<string, string>> = {
  'growth-peers-time': `Everything a window costs the validator's machine, at \`nano\` with SparseLoCo and the \`templar-2.1\` profile, each size in a process of its
own. Stages are measured where they happen, while at least one call of theirs is under way; _judgement_ and _publication_ are wholes. Loss
scores end after the manifest's time (10 s here), whatever the number of peers. Slopes are exponents fitted by least squares to the
logarithms: 1 is in proportion, 2 with the square.`,
  'growth-peers-bytes': `_Contributions in_ and _steps out_ are what peers send and fetch; in a run with a store of its own they never pass through the validator. Memory is
the process's largest resident set, with everything that Node, onnxruntime and two evaluators take.`,
  'growth-size-time': 'The same with the model growing instead, at a fixed number of peers.',
  'growth-size-bytes': '',
  'growth-history-time': `A run of ${HISTORY_PEERS} peers of whom ${DELIVERING} deliver in a window, on SQLite. Its first hundred windows are written by the store from what a real judgement
published, the rest are these rows under later numbers. Each question is asked once of a database just opened. _Verify_ reads the whole
record and is meant to; here its blobs are few, so that what is left is the database's part.`,
  'growth-history-bytes': '',
};

/** @returns the files of a report by name */
export function growthFiles(report: GrowthReport): Map<string, string> {
  const sections = sectionsOf(report);
  const { command, commit, date, node, machine, seconds } = report;
  const text = [
    '# How cost grows',
    `\`\`\`sh\n${command}\n\`\`\``,
    `Written by that command at ${commit ?? 'an unknown commit'} on ${date.slice(0, 10)}, in ${integer(seconds)} s (${machine.processor}, ${machine.threads} threads, ${machine.system}, Node ${node}). \`growth.json\` has every number. [docs/scale.md](../scale.md) goes on from here on paper.`,
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      ...(TEXT[section.file] ? [TEXT[section.file]!] : []),
      tableOf(section),
      `![${section.title}](${section.file}.svg)`,
    ]),
  ];
  return new Map([
    ['growth.md', `${text.join('\n\n')}\n`],
    ['growth.json', `${JSON.stringify(report, null, 2)}\n`],
    ...sections.map((section) => [`${section.file}.svg`, `${standalone(plotSvg(plotOf(section)))}\n`] as const),
  ]);
}
