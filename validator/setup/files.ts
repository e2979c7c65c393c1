/** Files that are either there whole or not at all. Node only. */
import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a file beside its place, flushes it and moves it in.
 *
 * @param parts written one after another
 */
export async function writeFileAtomically(path: string, parts: Iterable<Uint8Array | string>): Promise<void> {
  const partial = `${path}.partial-${process.pid}`;
  try {
    const file = await open(partial, 'w');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
