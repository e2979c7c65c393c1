/** What each preset asks of a contributor, in numbers: for operators who choose one. */
import { parameterLayout } from '../core/model/layout.ts';
import { pageTokens, PRESET_NAMES, PRESETS, type PresetName } from '../core/model/presets.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import { bytesInWords, trainingMemory } from './gpu/memory.ts';

export interface PresetRow {
  readonly preset: PresetName;
  readonly parameters: number;
  /** Bytes of a checkpoint, which a contributor downloads once. */
  readonly downloadBytes: number;
  /** Bytes of a contribution's body, uploaded once a window. */
  readonly payloadBytes: number;
  /** Bytes of an outer step of as many contributions as are aggregated at most, downloaded once a window. */
  readonly stepBytes: number;
  /** GPU memory, with the preset's own scheme, for one sequence at a time with blocks computed twice, in fp32: no device with less can train it. */
  readonly leastMemoryBytes: number;
  /** GPU memory for a whole page at a time, in fp32. */
  readonly pageMemoryBytes: number;
  readonly largestBufferBytes: number;
  /** Tokens of everything that a peer is assigned. */
  readonly tokensPerWindow: number;
  readonly windowSeconds: number;
}

export function presetRow(preset: PresetName): PresetRow {
  const { model: config, data, gauntlet, training, window } = PRESETS[preset];
  const layout = parameterLayout(config);
  const scheme = createScheme(PRESETS[preset].scheme, layout);

  const trained = { config, scheme: scheme.name };
  const least = trainingMemory(trained, { sequences: 1, recompute: true, precision: 'fp32' });
  const page = trainingMemory(trained, { sequences: data.pageSequences, recompute: false, precision: 'fp32' });
  return {
    preset,
    parameters: layout.total,
    downloadBytes: 4 * layout.total,
    payloadBytes: scheme.bodyBytes,
    stepBytes: scheme.stepBytes(gauntlet.topG),
    leastMemoryBytes: least.total,
    pageMemoryBytes: page.total,
    largestBufferBytes: least.largest,
    tokensPerWindow: training.pagesPerWindow * pageTokens(PRESETS[preset]),
    windowSeconds: window.trainSeconds + window.putSeconds,
  };
}

export function presetRows(): PresetRow[] {
  return PRESET_NAMES.map(presetRow);
}

const COLUMNS: readonly (readonly [title: string, cell: (row: PresetRow) => string])[] = [
  ['preset', ({ preset }) => preset],
  ['parameters', ({ parameters }) => parameters.toLocaleString('en')],
  ['download', ({ downloadBytes }) => bytesInWords(downloadBytes)],
  ['payload a window', ({ payloadBytes }) => kibibytes(payloadBytes)],
  ['step a window', ({ stepBytes }) => kibibytes(stepBytes)],
  ['GPU memory, least', ({ leastMemoryBytes }) => bytesInWords(leastMemoryBytes)],
  ['a page at once', ({ pageMemoryBytes }) => bytesInWords(pageMemoryBytes)],
  ['largest buffer', ({ largestBufferBytes }) => bytesInWords(largestBufferBytes)],
  ['tokens assigned', ({ tokensPerWindow }) => tokensPerWindow.toLocaleString('en')],
  ['window', ({ windowSeconds }) => `${windowSeconds} s`],
];

function kibibytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : bytesInWords(bytes);
}

/** The rows as text, columns aligned. */
export function describePresets(rows: readonly PresetRow[]): string {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
