/** Room on the disk that a folder is on. */
import { statfs } from 'node:fs/promises';

export interface DiskRoom {
  /** Bytes that this process may still write. */
  readonly free: number;
  /** Bytes. */
  readonly size: number;
}

export async function diskRoom(folder: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}
