/** The validator process that a crash test kills, tears the files of, and starts again. */
import { fork, type ChildProcess } from 'node:child_process';
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createValidatorApi, type ValidatorApi } from '../../client/api.ts';
import type { Random } from '../../core/numerics/prng.ts';
import { NO_FAULTS, type FaultRates } from './faults.ts';
import type { Steering } from './server.ts';

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));
const RESTART_MS = 500;

export interface Victim {
  /** Milliseconds since the epoch, as the process has it. */
  readonly time: number;
  readonly kills: number;
  setTime(time: number): void;
  setFaults(rates: FaultRates): void;
  /** The process's API; starts the process when it is dead. */
  api(): Promise<ValidatorApi & { readonly url: string }>;
  /** SIGKILL after some real time from when it lives, whatever it does then. */
  killIn(ms: number): Promise<void>;
  kill(): Promise<void>;
}

/** What a power cut leaves of files that were never synced: any beginning of them. */
async function tearParts(folder: string, random: Random): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.part')) continue;
    const path = join(entry.parentPath, entry.name);
    await truncate(path, random.below((await stat(path)).size + 1));
  }
}

export function createVictim(
  data: string,
  time: number,
  random: Random,
  environment: Readonly<Record<string, string>> = {},
): Victim {
  let child: ChildProcess | undefined;
  let starting: Promise<ValidatorApi & { readonly url: string }> | undefined;
  let kills = 0;
  let starts = 0;
  let rates = NO_FAULTS;

  function send(steering: Steering): void {
    if (child?.connected) child.send(steering);
  }

  async function start(): Promise<ValidatorApi & { readonly url: string }> {
    // A process that cannot reach its database ends, and is started again, as a supervisor would.
    for (;;) {
      await tearParts(data, random);
      const next = fork(SERVER, ['--data', data, '--time', String(time), '--seed', String(starts++)], {
        execArgv: ['--import', 'tsx'],
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      child = next;
      const url = await new Promise<string | undefined>((resolve) => {
        next.once('message', (message: { url: string }) => resolve(message.url));
        next.once('exit', () => resolve(undefined));
      });
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
    await gone;
    kills++;
  }

  return {
    get time() {
      return time;
    },
    get kills() {
      return kills;
    },
    setTime(next) {
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
