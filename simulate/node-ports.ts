/** A contributor's ports in a Node process: a key file, blobs in memory, the optimiser state in a file. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guestIdentity } from '../client/identity.ts';
import { microBatchSequences } from '../client/micro-batch.ts';
import type { BlobCache, BlobKind, ContributorPorts, OptimiserStore } from '../client/ports.ts';
import { memorySigner, randomSecretKey } from '../core/identity/signing.ts';
import { createNodeTrainer } from '../engine/node.ts';

const SECRET_KEY_BYTES = 32;

/** A cache that lives as long as the process. */
export function memoryBlobCache(): BlobCache {
  const held = new Map<string, { kind: BlobKind; bytes: Uint8Array<ArrayBuffer> }>();
  return {
    get: (sha256) => Promise.resolve(held.get(sha256)?.bytes),
    put(kind, sha256, bytes) {
      held.set(sha256, { kind, bytes });
      return Promise.resolve();
    },
    delete(sha256) {
      held.delete(sha256);
      return Promise.resolve();
    },
    retain(kind, sha256s) {
      for (const [sha256, blob] of held) if (blob.kind === kind && !sha256s.has(sha256)) held.delete(sha256);
      return Promise.resolve();
    },
  };
}

/** Writes beside and renames, so that a reader sees the old file or the new one. */
async function writeWhole(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  await writeFile(`${path}.part`, bytes, { mode });
  await rename(`${path}.part`, path);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The optimiser state in one file of a folder: the window (u32 LE), then the state. */
export function folderOptimiserStore(folder: string): OptimiserStore {
  const path = (run: string, hotkey: string): string => join(folder, `${run}-${hotkey}.momentum`);
  return {
    async load(run, hotkey) {
      const file = await readIfThere(path(run, hotkey));
      if (!file || file.length < 4) return undefined;
      return { window: new DataView(file.buffer, file.byteOffset).getUint32(0, true), bytes: file.subarray(4) };
    },
    async save(run, hotkey, { window, bytes }) {
      const file = new Uint8Array(4 + bytes.length);
      new DataView(file.buffer).setUint32(0, window, true);
      file.set(bytes, 4);
      await writeWhole(path(run, hotkey), file);
    },
  };
}

/** The secret key of a folder, made on first use. */
async function secretKeyOf(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'hotkey');
  const stored = await readIfThere(path);
  if (stored) {
    if (stored.length !== SECRET_KEY_BYTES) throw new Error(`${path} is not a key of ${SECRET_KEY_BYTES} bytes`);
    return stored;
  }
  const fresh = randomSecretKey();
  await writeWhole(path, fresh, 0o600);
  return fresh;
}

/** @param folder keeps the peer's key and optimiser state between starts */
export async function nodePorts(folder: string, intraOpThreads: number): Promise<ContributorPorts> {
  await mkdir(folder, { recursive: true });
  const signer = memorySigner(await secretKeyOf(folder));
  return {
    identity: guestIdentity(signer),
    blobs: memoryBlobCache(),
    optimiser: folderOptimiserStore(folder),
    createTrainer: ({ config, pageSequences }) =>
      createNodeTrainer({ config, sequences: microBatchSequences(pageSequences), intraOpThreads }),
    fetch,
    now: Date.now,
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
  };
}
