/** The validator process that a crash test kills, tears the files of, and starts again. */
import { fork, type ChildProcess } from 'node:child_process';
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { createValidatorApi, type ValidatorApi } from '../../client/api.ts';
import type { Random } from '../../core/numerics/prng.ts';
import type { Phase } from '../../core/protocol/api.ts';
import { NO_FAULTS, type FaultRates } from './faults.ts';
import type { Steering, Telling } from './server.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));
/** Where packages are found from. */
const BUILT = fileURLToPath(new URL('../../node_modules/.cache/crash-server/', import.meta.url));
const RESTART_MS = 500;
/** Of the starts, so many are killed on their way, anywhere in so much time. */
const STILLBORN = 0.15;
const START_MS = 1_000;

const COMPLAINTS = 5;

/** How often each thing was done. */
export type Tally = Map<string, number>;

export function count(tally: Tally, what: string, times = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + times);
}

export interface Victim {
  /** Milliseconds since the epoch, as the process has it. */
  readonly time: number;
  /** What the process waits for, in its time; passed, or undefined, while it works. */
  readonly waitsUntil: number | undefined;
  /** By what the process was at. */
  readonly kills: Tally;
  /** What else was done to it. */
  readonly faults: Tally;
  /** The newest things it complained of. */
  readonly complaints: readonly string[];
  setTime(time: number): void;
  setFaults(rates: FaultRates): void;
  /** The process's API; starts the process when it is dead. */
  api(): Promise<ValidatorApi & { readonly url: string }>;
  /** SIGKILL after some real time from when it lives, whatever it does then. */
  killIn(ms: number): Promise<void>;
  kill(): Promise<void>;
}

/** What a power cut leaves of files that were never synced: any beginning of them. @returns how many there were */
async function tearParts(folder: string, random: Random): Promise<number> {
  let torn = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.part')) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, nlink } = await stat(path);
    // Another name of what was synced long ago.
    if (nlink > 1) continue;
    await truncate(path, random.below(size + 1));
    torn++;
  }
  return torn;
}

/** The program as one file: loading its modules one by one would be most of a start, and most of what the kills hit. */
export async function buildServer(): Promise<string> {
  const output = { entryFileNames: 'server.mjs' };
  await build({
    configFile: false,
    logLevel: 'error',
    build: { ssr: SERVER, outDir: BUILT, emptyOutDir: true, rolldownOptions: { output } },
  });
  return join(BUILT, output.entryFileNames);
}

/** @param server as `buildServer` made it */
export function createVictim(
  server: string,
  data: string,
  time: number,
  random: Random,
  environment: Readonly<Record<string, string>> = {},
): Victim {
  let child: ChildProcess | undefined;
  let starting: Promise<ValidatorApi & { readonly url: string }> | undefined;
  let doing: Phase | 'start' = 'start';
  let waitsUntil: number | undefined;
  const kills: Tally = new Map();
  const faults: Tally = new Map();
  const complaints: string[] = [];
  let starts = 0;
  let rates = NO_FAULTS;

  function send(steering: Steering): void {
    if (child?.connected) child.send(steering);
  }

  async function start(): Promise<ValidatorApi & { readonly url: string }> {
    // A process that cannot reach its database ends, and is started again, as a supervisor would.
    for (;;) {
      const torn = await tearParts(data, random);
      if (torn > 0) count(faults, 'file torn by a kill', torn);
      const next = fork(server, ['--data', data, '--time', String(time), '--seed', String(starts++)], {
        // The test's own loaders are none of its business.
        execArgv: [],
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      child = next;
      doing = 'start';
      waitsUntil = undefined;
      const stillborn =
        random.uniform() < STILLBORN ? setTimeout(() => void kill(), random.below(START_MS)) : undefined;
      const url = await new Promise<string | undefined>((resolve) => {
        next.on('message', (telling: Telling) => {
          if ('url' in telling) resolve(telling.url);
          else if ('fault' in telling) count(faults, telling.fault);
          else if ('complaint' in telling) {
            complaints.push(telling.complaint);
            if (complaints.length > COMPLAINTS) complaints.shift();
          } else if (child !== next) return;
          else if ('waitsUntil' in telling) ({ waitsUntil } = telling);
          else doing = telling.phase;
        });
        next.once('exit', () => resolve(undefined));
      });
      clearTimeout(stillborn);
      if (url === undefined) {
        await sleep(RESTART_MS);
        continue;
      }
      if (next.exitCode !== null || next.signalCode !== null) continue;
      next.once('exit', () => (starting = undefined));
      send({ time });
      send({ faults: rates });
      return { ...createValidatorApi({ baseUrl: url, fetch }), url };
    }
  }

  async function kill(): Promise<void> {
    const last = child;
    if (!last || last.exitCode !== null || last.signalCode !== null) return;
    const gone = new Promise((resolve) => last.once('exit', resolve));
    last.kill('SIGKILL');
    const at = doing;
    await gone;
    count(kills, at);
  }

  return {
    get time() {
      return time;
    },
    get waitsUntil() {
      return waitsUntil;
    },
    kills,
    faults,
    complaints,
    setTime(next) {
      if (next < time) count(faults, 'clock set back');
      time = next;
      send({ time });
    },
    setFaults(next) {
      rates = next;
      send({ faults: rates });
    },
    api: () => (starting ??= start()),
    async killIn(ms) {
      await this.api();
      await sleep(ms);
      await kill();
    },
    kill,
  };
}
