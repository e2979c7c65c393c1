/** Blobs in a folder, and uploads in another until they are published into the first. Names are hashes only. */
import { createHash, randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore, SealedUploads, StagedUpload } from '../rounds/ports.ts';
import { ifThere, renameDurably, syncFolder, writeDurably } from './durable-file.ts';

const SHA256 = /^[0-9a-f]{64}$/;
const READ_CHUNK_BYTES = 256 * 1024;

function assertHash(sha256: string): void {
  if (!SHA256.test(sha256)) throw new RangeError('not a SHA-256 in lower-case hex');
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Path of a blob below a folder: sharded, so that no folder grows past some thousand entries. */
function blobPath(folder: string, sha256: string): string {
  assertHash(sha256);
  return join(folder, sha256.slice(0, 2), sha256);
}

async function* fileRange(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    for (let at = start; at < end;) {
      const { bytesRead, buffer } = await handle.read({
        buffer: new Uint8Array(Math.min(READ_CHUNK_BYTES, end - at)),
        position: at,
      });
      if (bytesRead === 0) throw new Error(`${path} is shorter than it was`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** A pull source over a generator: nothing is read ahead of what the client takes. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** @param folder is made when missing */
export async function folderBlobs(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true });
  const size = async (sha256: string): Promise<number | undefined> =>
    (await ifThere(stat(blobPath(folder, sha256))))?.size;
  return {
    size,
    async read(sha256) {
      const file = await ifThere(readFile(blobPath(folder, sha256)));
      return file && new Uint8Array(file);
    },
    async stream(sha256, start, end) {
      if ((await size(sha256)) === undefined) return undefined;
      return streamOf(fileRange(blobPath(folder, sha256), start, end));
    },
    async put(bytes) {
      const sha256 = hashOf(bytes);
      if ((await size(sha256)) !== bytes.length) await writeDurably(blobPath(folder, sha256), bytes);
      return { sha256, bytes: bytes.length };
    },
  };
}

/**
 * @param folder holds the uploads, and is made when missing
 * @param publicFolder the folder of `folderBlobs`, on the same file system
 */
export async function folderUploads(folder: string, publicFolder: string): Promise<SealedUploads> {
  await mkdir(folder, { recursive: true });

  async function begin(): Promise<StagedUpload> {
    const part = join(folder, `${randomUUID()}.part`);
    const handle = await open(part, 'wx+', 0o600);
    let closed = false;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      await handle.close();
    };
    return {
      async write(chunk) {
        await handle.writeFile(chunk);
      },
      async bytes() {
        return new Uint8Array(await readFile(part));
      },
      async seal(sha256) {
        await handle.sync();
        await close();
        await renameDurably(part, blobPath(folder, sha256));
      },
      async discard() {
        await close();
        await rm(part, { force: true });
      },
    };
  }

  return {
    begin,
    async read(sha256) {
      const file = await ifThere(readFile(blobPath(folder, sha256)));
      return file && new Uint8Array(file);
    },
    async publish(sha256) {
      const target = blobPath(publicFolder, sha256);
      if (await ifThere(stat(target))) return;
      const part = join(publicFolder, `${randomUUID()}.part`);
      const sealed = blobPath(folder, sha256);
      // A hard link costs nothing; file systems without them get a copy.
      await link(sealed, part).catch(() => copyFile(sealed, part));
      await renameDurably(part, target);
    },
    async release(sha256) {
      await rm(blobPath(folder, sha256), { force: true });
    },
    async clean(keep) {
      for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
        if (entry.isFile() && !keep.has(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true });
      }
      for (const entry of await readdir(publicFolder)) {
        if (entry.endsWith('.part')) await rm(join(publicFolder, entry), { force: true });
      }
      await syncFolder(folder);
    },
  };
}
