/** What processes take of memory, from /proc; nothing where there is none. */
import { readdir, readFile } from 'node:fs/promises';

async function read(path: string): Promise<string> {
  // Processes come and go.
  return readFile(path, 'utf8').catch(() => '');
}

/** Bytes in memory that are a process’s own, 0 when it is gone: pages of files come and go with the machine’s load. */
export async function ownBytes(pid: number): Promise<number> {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(await read(`/proc/${pid}/status`))?.[1];
  return 1_024 * Number(kilobytes ?? 0);
}

export interface ProcessOfBrowser {
  readonly pid: number;
  /** As the browser names it: `renderer`, `gpu-process`, `utility`; `browser` for the first. */
  readonly type: string;
}

/** The processes of the browsers that this process has started. */
export async function browserProcesses(): Promise<ProcessOfBrowser[]> {
  const numbers = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  for (const pid of numbers) {
    const parent = /^PPid:\s+(\d+)$/m.exec(await read(`/proc/${pid}/status`))?.[1];
    if (parent !== undefined) parents.set(Number(pid), Number(parent));
  }
  const isOurs = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined; at = parents.get(at)) if (at === process.pid) return true;
    return false;
  };
  const ours: ProcessOfBrowser[] = [];
  for (const pid of parents.keys()) {
    if (!isOurs(pid)) continue;
    const words = (await read(`/proc/${pid}/cmdline`)).split(/[\0 ]/);
    if (!words.some((word) => word.startsWith('--user-data-dir') || word.startsWith('--type='))) continue;
    const type = words.find((word) => word.startsWith('--type='))?.slice('--type='.length) ?? 'browser';
    ours.push({ pid, type });
  }
  return ours;
}
