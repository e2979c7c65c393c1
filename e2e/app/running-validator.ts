/** `gauntlet start` as a process: what an operator runs, started, killed and restarted by tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createValidatorApi, type ValidatorApi } from '../../client/api.ts';

const CLI = fileURLToPath(new URL('../../bin/gauntlet.js', import.meta.url));
/** Flags of a run in which nobody takes part but the tabs of a test, at a port that is free. */
export const TABS_ALONE = ['--peers', '0', '--attackers', '0', '--port', '0'] as const;

const START_TIMEOUT_MS = 120_000;

export interface RunningValidator {
  readonly url: string;
  readonly folder: string;
  readonly api: ValidatorApi;
  readonly pid: number;
  /** Everything it printed so far. */
  readonly output: () => string;
  /** SIGKILL to the validator process alone, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGINT, as Ctrl-C does; resolves with the exit code. */
  readonly interrupt: () => Promise<number | null>;
}

/**
 * Starts a validator and resolves once it has printed its address.
 *
 * @param args further flags of `gauntlet start`
 * @param nodeArgs flags of Node itself
 */
export async function startValidator(
  folder: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningValidator> {
  const child = spawn(process.execPath, [...nodeArgs, CLI, 'start', '--data', folder, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const url = await addressOf(child, exited, (text) => (output += text));
  return {
    url,
    folder,
    api: createValidatorApi({ baseUrl: url, fetch }),
    pid: child.pid!,
    output: () => output,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    interrupt() {
      child.kill('SIGINT');
      return exited;
    },
  };
}

function addressOf(
  child: ChildProcess,
  exited: Promise<number | null>,
  onOutput: (text: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const note = (line: string): void => {
      printed += `${line}\n`;
      onOutput(`${line}\n`);
      const address = /https?:\/\/\S+/.exec(line);
      if (address) resolve(address[0]);
    };
    createInterface({ input: child.stdout! }).on('line', note);
    createInterface({ input: child.stderr! }).on('line', note);
    void exited.then((code) => reject(new Error(`gauntlet start exited with ${code}:\n${printed}`)));
    setTimeout(() => reject(new Error(`gauntlet start printed no address:\n${printed}`)), START_TIMEOUT_MS).unref();
  });
}

/** A folder that is removed when the body ends. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gauntlet-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Asks again until the answer is there. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false>,
  timeoutMs: number,
  what: string,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
