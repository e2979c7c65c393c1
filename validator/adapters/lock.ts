/** One validator a folder: two would both hand out windows of the same run. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from './durable-file.ts';

/** Another process has the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

const LOCK = 'validator.lock';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process started, in the kernel's ticks; undefined where the system does not tell. */
async function startTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name in field 2 may hold blanks and brackets; field 22 is the start time.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

/** Folders this process holds: the file alone cannot tell two openers in one process apart. */
const held = new Set<string>();

/** The process that has a folder, undefined when none does, or none that lives. */
export async function lockHolder(folder: string): Promise<number | undefined> {
  const text = (await ifThere(readFile(join(folder, LOCK), 'utf8'))) ?? '';
  const [pid = NaN, started = ''] = text.trim().split(' ');
  const holder = Number(pid);
  const lives = holder > 0 && isAlive(holder) && (started === '' || (await startTime(holder)) === started);
  return lives ? holder : undefined;
}

/**
 * Takes the folder for this process. A lock whose process is gone, killed or overtaken by another with its number, is
 * taken over.
 *
 * @returns gives it back
 * @throws FolderInUseError
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, LOCK);
  if (held.has(path)) throw new FolderInUseError(`${folder} is already open in this process`);
  const mine = `${process.pid} ${(await startTime(process.pid)) ?? ''}\n`;
  for (;;) {
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.writeFile(mine);
      await handle.close();
      held.add(path);
      return async () => {
        held.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await lockHolder(folder);
    if (holder !== undefined) {
      throw new FolderInUseError(
        `${folder} is in use by process ${holder}: stop that validator first, or choose another folder with --data`,
      );
    }
    await rm(path, { force: true });
  }
}
