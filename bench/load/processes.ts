/** The processes of the load benchmark, as the one that starts them sees them. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type * as z from 'zod';

/** Nothing takes so long unless something is wrong, however busy the machine is. */
const PATIENCE_MS = 900_000;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Messages of one process, and waiting for one of them. */
export interface Inbox<T extends { readonly type: string }> {
  readonly all: readonly T[];
  of<K extends T['type']>(type: K): Extract<T, { type: K }>[];
  /**
   * The first of a type, of those that came and those to come.
   *
   * @param after so many messages that are passed over
   * @throws Error when none comes in time
   */
  first<K extends T['type']>(type: K, after?: number): Promise<Extract<T, { type: K }>>;
  /** The first that is wanted. @throws Error as `first` does */
  find(what: string, wanted: (message: T) => boolean): Promise<T>;
}

export interface Part<T extends { readonly type: string }> {
  readonly process: ChildProcess;
  readonly told: Inbox<T>;
}

function createInbox<T extends { readonly type: string }>(): Inbox<T> & { put(message: T): void } {
  const all: T[] = [];
  const listeners = new Set<() => void>();

  function find(what: string, wanted: (message: T) => boolean, after = 0): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`${what} did not come within ${PATIENCE_MS / 1_000} s`));
      }, PATIENCE_MS);
      const look = (): void => {
        const message = all.slice(after).find(wanted);
        if (message === undefined) return;
        listeners.delete(look);
        clearTimeout(timer);
        resolve(message);
      };
      listeners.add(look);
      look();
    });
  }

  return {
    all,
    put(message) {
      all.push(message);
      for (const look of [...listeners]) look();
    },
    of: <K extends T['type']>(type: K) =>
      all.filter((message): message is Extract<T, { type: K }> => message.type === type),
    first: async <K extends T['type']>(type: K, after?: number) =>
      (await find(`“${type}”`, (message) => message.type === type, after)) as Extract<T, { type: K }>,
    find,
  };
}

/**
 * Starts one of the programs beside this file. It ends with this process, and this process with it when it fails.
 *
 * @param schema of what it tells
 */
export function startPart<T extends { readonly type: string }>(
  name: string,
  args: readonly string[],
  schema: z.ZodType<T>,
  onMessage: (message: T) => void = () => undefined,
): Part<T> {
  const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  const told = createInbox<T>();
  child.on('message', (raw) => {
    const message = schema.parse(raw);
    told.put(message);
    onMessage(message);
  });
  child.once('exit', (code) => {
    children.delete(child);
    if (code === 0 || code === null) return;
    console.error(`${name} ended with exit code ${code}`);
    process.exit(1);
  });
  return { process: child, told };
}
