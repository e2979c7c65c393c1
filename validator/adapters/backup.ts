/**
 * Copies of a run's folder. A backup is a run folder itself, taken while a validator works on it: first the database, in one
 * consistent snapshot, then the blobs that it names, which are written before it names them and never change.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import Database from 'libsql';
import { ifThere, renameDurably } from './durable-file.ts';
import { openSqliteStore } from './sqlite.ts';

/** There is nothing to copy, or no place to copy it to. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const DATABASE = 'run.sqlite';
const KEY = 'validator.key';

export interface BackupReport {
  /** That is open in the copy. */
  readonly window: number;
  readonly files: number;
  /** Of these, those that the copy lacked. */
  readonly copied: number;
}

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Files below a folder, but for half-written ones; none when there is no such folder. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = (await ifThere(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Whole and synced, or not there. @returns whether there was something to copy */
async function copyDurably(from: string, to: string): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const part = `${to}.${randomUUID()}.part`;
  try {
    if ((await ifThere(copyFile(from, part, constants.COPYFILE_FICLONE).then(() => true))) === undefined) return false;
    const handle = await open(part, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renameDurably(part, to);
    return true;
  } finally {
    await rm(part, { force: true });
  }
}

/** What a snapshot of the database has open: its window, and the uploads that are judged next. */
async function openOf(database: string): Promise<{ window: number; uploads: string[] }> {
  const store = await openSqliteStore(database);
  try {
    const { window } = await store.openWindow();
    return { window, uploads: (await store.contributions(window)).map(({ sha256 }) => sha256) };
  } finally {
    await store.close();
  }
}

/**
 * Copies a run's folder, whether a validator works on it or not. Into an earlier backup only what is new is copied; until
 * the end the earlier one is valid.
 *
 * @throws BackupError when the folder holds no run
 */
export async function backUp(
  data: string,
  out: string,
  onProgress: (files: number, of: number) => void = () => undefined,
): Promise<BackupReport> {
  if (!(await exists(join(data, DATABASE)))) throw new BackupError(`${data} holds no run; name one with --data`);
  await mkdir(out, { recursive: true, mode: 0o700 });
  const snapshot = join(out, `${DATABASE}.${randomUUID()}.part`);
  try {
    const database = new Database(join(data, DATABASE));
    try {
      database.exec(`vacuum into '${snapshot.replaceAll("'", "''")}'`);
    } finally {
      database.close();
    }
    const { window, uploads } = await openOf(snapshot);
    const blobs = (await filesOf(join(data, 'blobs'))).map((path) => join('blobs', path));
    const of = blobs.length + uploads.length;
    let files = 0;
    let copied = 0;
    for (const path of blobs) {
      if (!(await exists(join(out, path)))) copied += Number(await copyDurably(join(data, path), join(out, path)));
      onProgress(++files, of);
    }
    for (const sha256 of uploads) {
      const path = join(sha256.slice(0, 2), sha256);
      const to = join(out, 'uploads', path);
      // One that was published since the snapshot is a blob now; the copy needs it sealed.
      const found =
        (await exists(to)) ||
        (await copyDurably(join(data, 'uploads', path), to)) ||
        (await copyDurably(join(data, 'blobs', path), to));
      if (!found) throw new BackupError(`the upload ${sha256} of window ${window} is missing: verify ${data}`);
      onProgress(++files, of);
    }
    await copyDurably(join(data, KEY), join(out, KEY));
    await renameDurably(snapshot, join(out, DATABASE));
    return { window, files, copied };
  } finally {
    for (const left of [snapshot, `${snapshot}-wal`, `${snapshot}-shm`]) await rm(left, { force: true });
  }
}

/** Puts a backup where a validator can start on it. @throws BackupError when something is there already */
export async function restore(from: string, data: string): Promise<BackupReport> {
  if (((await ifThere(readdir(data))) ?? []).length > 0) {
    throw new BackupError(`${data} is not empty: a backup is restored into a folder of its own`);
  }
  return backUp(from, data);
}
