/** Commands of `gauntlet` as processes: started, killed and interrupted by tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const OTHER_VERSIONS = new URL('versions/register.mjs', import.meta.url).href;
const CLI = fileURLToPath(new URL('../../bin/gauntlet.js', import.meta.url));
const START_MS = 180_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** See versions/hooks.mjs. */
export type OtherVersion = 'next' | 'later' | 'former';

/** Of a process that is of another version of the program. */
export const ofVersion = (version: OtherVersion): Record<string, string> => ({
  NODE_OPTIONS: `--import ${OTHER_VERSIONS}`,
  TEST_VERSION: version,
});

export interface GauntletProcess {
  readonly pid: number;
  /** Everything that it printed so far. */
  output(): string;
  /** Resolves with the first match in what it prints. @throws Error when it ends first, or takes too long */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code when it ends by itself. */
  exited(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGINT, as Ctrl-C does; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  /** SIGTERM, as a supervisor does; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

export function startGauntlet(args: readonly string[], environment: Readonly<Record<string, string>>): GauntletProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`;
      for (const listener of [...listeners]) listener();
    });
  }
  let gone = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      gone = true;
      running.delete(child);
      resolve(code);
      for (const listener of [...listeners]) listener();
    });
  });
  return {
    pid: child.pid!,
    output: () => output,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (!match && !gone) return;
          listeners.delete(look);
          clearTimeout(impatient);
          if (match) resolve(match);
          else reject(new Error(`gauntlet ${args.join(' ')} ended before it said ${pattern.source}:\n${output}`));
        };
        const impatient = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`gauntlet ${args.join(' ')} did not say ${pattern.source} in time:\n${output}`));
        }, START_MS);
        listeners.add(look);
        look();
      }),
    exited: () => exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    interrupt() {
      child.kill('SIGINT');
      return exited;
    },
    terminate() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
