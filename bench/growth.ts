/**
 * `npm run bench:growth`: how what a window costs grows with peers, with the model and with history. Writes
 * docs/measurements/growth.md with its plots and numbers. `--quick` tries it out on small sizes.
 */
import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { PresetName } from '../core/model/presets.ts';
import type { HistoryFigures } from './growth/history-figures.ts';
import { growthFiles } from './growth/report.ts';
import type { WindowFigures } from './growth/window.ts';
import { currentCommit, describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, out: { type: 'string', default: 'docs/measurements' } },
});
const { quick } = values;

const PEERS = quick ? [10, 50] : [10, 50, 250, 1_000];
const SIZES: readonly PresetName[] = quick ? ['micro', 'nano'] : ['micro', 'nano', 'mini', 'small'];
const PEERS_OF_SIZES = quick ? 10 : 30;
const WINDOWS = quick ? [100, 1_000] : [100, 1_000, 10_000, 100_000];

const began = Date.now();
let said = 0;
function say(what: string, least = 0): void {
  const now = Date.now();
  if (now - said < least) return;
  said = now;
  console.error(`${String(Math.round((now - began) / 1_000)).padStart(4)} s  ${what}`);
}

interface Message<T> {
  readonly progress?: string;
  readonly figures?: T;
}

/** @returns what a process of that file says, in its order @throws Error when it fails */
function ask<T>(file: string, args: readonly string[]): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL(`./growth/${file}`, import.meta.url)), args, {
      execArgv: ['--import', 'tsx'],
    });
    const all: T[] = [];
    child.on('message', ({ progress, figures }: Message<T>) => {
      if (progress !== undefined) say(progress, 2_000);
      if (figures !== undefined) all.push(figures);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(all);
      else reject(new Error(`${file} ${args.join(' ')} ended with ${code ?? 'a signal'}`));
    });
  });
}

async function window(preset: PresetName, peers: number): Promise<WindowFigures> {
  const [figures] = await ask<WindowFigures>('window.ts', [preset, String(peers)]);
  say(`${preset}, ${peers} peers: judged in ${Math.round(figures!.stages.judgement!)} ms`);
  return figures!;
}

const byPeers: WindowFigures[] = [];
for (const peers of PEERS) byPeers.push(await window('nano', peers));
const bySize: WindowFigures[] = [];
for (const preset of SIZES) bySize.push(await window(preset, PEERS_OF_SIZES));
const byHistory = await ask<HistoryFigures>('history.ts', WINDOWS.map(String));

const files = growthFiles({
  command: `npm run bench:growth${quick ? ' -- --quick' : ''}`,
  commit: currentCommit(),
  date: new Date().toISOString(),
  node: process.versions.node,
  machine: describeMachine(),
  seconds: (Date.now() - began) / 1_000,
  byPeers,
  bySize,
  byHistory,
});
await mkdir(values.out, { recursive: true });
for (const [name, text] of files) await writeFile(join(values.out, name), text);
say(`wrote ${[...files.keys()].map((name) => join(values.out, name)).join(', ')}`);
