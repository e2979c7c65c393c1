/** Files that survive a power cut: synced before they get their name, and the name synced too. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Makes a rename or a new entry in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Moves a synced file to its name, atomically and durably. Both lie on one file system. */
export async function renameDurably(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  const made = await mkdir(folder, { recursive: true });
  await rename(from, to);
  await syncFolder(folder);
  if (made !== undefined) await syncFolder(dirname(made));
}

/** Writes a whole file: a reader sees the old content or the new, never a part. @param mode permission bits */
export async function writeDurably(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const part = join(dirname(path), `${randomUUID()}.part`);
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(part, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await renameDurably(part, path);
}

/** What a file operation finds, undefined when the file is not there. */
export async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
