/** What the run's chart can show of each window. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import type { WindowSummary } from '../../core/protocol/api.ts';

export interface Measure {
  readonly id: 'loss' | 'tokens' | 'peers' | 'bytes';
  readonly name: MessageDescriptor;
  readonly of: (row: WindowSummary) => number | null;
}

const MILLION = 1e6;

export const MEASURES: readonly Measure[] = [
  { id: 'loss', name: msg`Loss, nats a token`, of: ({ lossAfter }) => lossAfter },
  { id: 'tokens', name: msg`Tokens trained, millions`, of: ({ tokens }) => tokens && tokens / MILLION },
  { id: 'peers', name: msg`Peers that delivered`, of: ({ participants }) => participants },
  { id: 'bytes', name: msg`Uploads, MB`, of: ({ bytes }) => bytes && bytes / MILLION },
];

export interface RunTotals {
  /** Null where no window says. */
  readonly tokens: number | null;
  readonly uploads: number | null;
  readonly steps: number;
}

/** Sums over windows; those of which nothing is known are left out. */
export function runTotals(windows: readonly WindowSummary[]): RunTotals {
  let [tokens, uploads, steps]: [number | null, number | null, number] = [null, null, 0];
  for (const row of windows) {
    if (row.tokens !== null) tokens = (tokens ?? 0) + row.tokens;
    if (row.bytes !== null) uploads = (uploads ?? 0) + row.bytes;
    steps += row.outerStep?.bytes ?? 0;
  }
  return { tokens, uploads, steps };
}
