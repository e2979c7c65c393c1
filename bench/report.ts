/**
 * What `npm run bench --json FILE` writes, and `--table FILE` prints. A file holds one run: one adapter, one command,
 * contenders one after another. All times are milliseconds, all sizes bytes, all speeds FLOP/s or tokens/s.
 *
 * A row is `measured` when its loss and gradient agreed with the reference (onnxruntime's processor provider on the same
 * parameters and batch); `void` when they did not, and then it has no times; `failed` when the contender threw.
 */
import { z } from 'zod';

export const CONTENDER_NAMES = ['own', 'onnxruntime-web', 'tfjs-webgpu', 'jax-js', 'onnxruntime-wasm'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

export type BenchPrecision = 'fp32' | 'fp16';

const spread = z.object({
  median: z.number().positive(),
  /** Quartiles. */
  low: z.number().positive(),
  high: z.number().positive(),
});
export type Spread = z.infer<typeof spread>;

const adapter = z.object({
  vendor: z.string(),
  architecture: z.string(),
  device: z.string(),
  description: z.string(),
  /** As the platform names it; null where it does not tell. */
  driver: z.string().nullable(),
  /** Emulated on the processor: nothing follows for a GPU. */
  software: z.boolean(),
  features: z.array(z.string()),
});
export type AdapterReport = z.infer<typeof adapter>;

export const productRow = z.object({
  contender: z.string(),
  precision: z.string(),
  /** [m, k] x [k, n] */
  m: z.int().positive(),
  k: z.int().positive(),
  n: z.int().positive(),
  flops: z.number().positive(),
});
export type ProductRow = z.infer<typeof productRow>;

const identity = {
  /** A preset, or another model's name. */
  workload: z.string(),
  contender: z.string(),
  precision: z.string(),
  sequences: z.int().positive(),
  length: z.int().positive(),
  parameters: z.int().positive(),
};

export const measuredRow = z.object({
  ...identity,
  status: z.literal('measured'),
  /** Mean loss of the first step. */
  loss: z.number(),
  /** |loss - reference| / reference. */
  lossError: z.number(),
  /** Largest difference of a sampled gradient element, relative to its tensor's largest. */
  gradientError: z.number(),
  /** One step and a wait for its loss. */
  stepMs: spread,
  /** A step of several that were queued at once with one wait at the end. */
  pipelinedMs: spread,
  /** From the quicker of the two medians. */
  tokensPerSecond: z.number(),
  /** By the formula of flops.ts. */
  flopsPerStep: z.number(),
  achievedFlops: z.number(),
  /** Of the adapter's best matrix product in the same precision; null when none was measured. */
  shareOfMatmul: z.number().nullable(),
  /** Operators of the graph. */
  nodes: z.int().nullable(),
  /** Of one step. */
  dispatches: z.int().nullable(),
  /** From nothing to the first loss: graph, kernels, parameters, one step. */
  startMs: z.number(),
  /** Highest sum of buffers alive at once; those that are left to the garbage collector count until the end. */
  peakGpuBytes: z.number().nullable(),
  compressMs: z.number().nullable(),
  applyMs: z.number().nullable(),
});
export type MeasuredRow = z.infer<typeof measuredRow>;

/** Null where the number is not finite, which JSON cannot say. */
const disagreement = {
  loss: z.number().nullable(),
  lossError: z.number().nullable(),
  gradientError: z.number().nullable(),
};

const row = z.discriminatedUnion('status', [
  measuredRow,
  z.object({ ...identity, status: z.literal('void'), ...disagreement }),
  z.object({ ...identity, status: z.literal('failed'), reason: z.string() }),
]);
export type Row = z.infer<typeof row>;

export const benchReport = z.object({
  version: z.literal(1),
  date: z.iso.datetime(),
  command: z.string(),
  commit: z.string().nullable(),
  /** What ran it: a browser, Dawn in Node. */
  runner: z.string(),
  machine: z.object({ processor: z.string(), threads: z.int(), system: z.string() }),
  adapter,
  products: z.array(productRow),
  rows: z.array(row),
});
export type BenchReport = z.infer<typeof benchReport>;

/** @throws Error when the bytes are not such a report */
export function parseReport(json: string): BenchReport {
  return benchReport.parse(JSON.parse(json));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** Three digits, and all of a whole number's. */
function significant(value: number): string {
  const digits = Math.max(3, Math.floor(Math.log10(Math.abs(value) || 1)) + 1);
  return value.toLocaleString('en', { maximumSignificantDigits: digits });
}

function flops(value: number): string {
  const [unit, prefix] = value >= 1e12 ? [1e12, 'T'] : value >= 1e9 ? [1e9, 'G'] : [1e6, 'M'];
  return `${significant(value / unit)} ${prefix}FLOP/s`;
}

function times({ median, low, high }: Spread): string {
  return `${significant(median)} (${significant(low)}–${significant(high)})`;
}

function optional(value: number | null, text: (value: number) => string = significant): string {
  return value === null ? '–' : text(value);
}

function error(value: number | null): string {
  return value === null ? 'more than a number says' : value.toExponential(1);
}

const COLUMNS = [
  'model',
  'contender',
  'tokens a step',
  'ms a step',
  'ms, pipelined',
  'tokens/s',
  'FLOP/s',
  'of matmul',
  'operators',
  'dispatches',
  'start, s',
  'peak MiB',
  'compress, ms',
  'apply, ms',
];

function cells(row: Row): string[] {
  const label = row.precision === 'fp32' ? row.contender : `${row.contender}, ${row.precision}`;
  const first = [row.workload, label, `${row.sequences} x ${row.length}`];
  const rest = (...texts: string[]): string[] => [
    ...first,
    ...texts,
    ...Array.from({ length: COLUMNS.length - first.length - texts.length }, () => '–'),
  ];
  switch (row.status) {
    case 'failed':
      return rest('failed');
    case 'void':
      return rest('void');
    case 'measured':
      return [
        ...first,
        times(row.stepMs),
        times(row.pipelinedMs),
        significant(row.tokensPerSecond),
        flops(row.achievedFlops),
        optional(row.shareOfMatmul, (share) => `${significant(100 * share)} %`),
        optional(row.nodes, String),
        optional(row.dispatches, String),
        significant(row.startMs / 1_000),
        optional(row.peakGpuBytes, (bytes) => significant(bytes / 2 ** 20)),
        optional(row.compressMs),
        optional(row.applyMs),
      ];
  }
}

/** The report as Markdown: what was measured where, the products, the rows, and why some have no numbers. */
export function markdown(report: BenchReport): string {
  const { adapter, machine } = report;
  const name = [adapter.vendor, adapter.architecture, adapter.device, adapter.description].filter(Boolean).join(' ');
  const lines = [
    `\`${report.command}\`, ${report.date.slice(0, 10)}${report.commit ? `, commit ${report.commit}` : ''}.`,
    `Adapter: ${name}${adapter.software ? ' **(software)**' : ''}; driver: ${adapter.driver ?? 'not told'}; ${report.runner}; ${machine.processor}, ${machine.threads} threads, ${machine.system}.`,
  ];
  const best = new Map<string, ProductRow>();
  for (const row of report.products) {
    const key = `${row.contender} ${row.precision}`;
    if (!best.has(key) || best.get(key)!.flops < row.flops) best.set(key, row);
  }
  const products = [...best.values()].map((row) => [
    row.contender,
    row.precision,
    `[${row.m}, ${row.k}] x [${row.k}, ${row.n}]`,
    flops(row.flops),
  ]);
  const sections = [lines.join(' ')];
  if (products.length > 0) sections.push(table(['best product of', 'precision', 'shape', 'speed'], products));
  sections.push(table(COLUMNS, report.rows.map(cells)));
  const notes = report.rows.flatMap((row) => {
    const of = `${row.workload}, ${row.contender}, ${row.precision}`;
    if (row.status === 'failed') return [`- ${of}: failed: ${row.reason}`];
    if (row.status === 'void')
      return [`- ${of}: void: loss off by ${error(row.lossError)}, gradient by ${error(row.gradientError)}`];
    return [];
  });
  if (notes.length > 0) sections.push(notes.join('\n'));
  return `${sections.join('\n\n')}\n`;
}
