/** A run's folder: what lies where, opened together. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '../../core/identity/signing.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { BlobStore, RandomBytes, SealedUploads } from '../rounds/ports.ts';
import type { RunStore } from '../rounds/store.ts';
import { folderBlobs, folderUploads } from './folder-blobs.ts';
import { keyFileSigner } from './key-file.ts';
import { lockFolder } from './lock.ts';
import { openSqliteStore } from './sqlite.ts';

export interface RunFolder {
  readonly store: RunStore;
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
  readonly signer: Signer;
  readonly randomBytes: RandomBytes;
  readonly digest: Digest;
  close(): Promise<void>;
}

const SECRET_BYTES = 32;

/** OpenSSL's SHA-256. */
export const nodeDigest: Digest = (bytes) => Promise.resolve(createHash('sha256').update(bytes).digest());

/** Opens a folder, made when missing. @throws FolderInUseError when another validator has it */
export async function openRunFolder(dataDir: string): Promise<RunFolder> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(dataDir);
  let store: RunStore | undefined;
  try {
    const signer = await keyFileSigner(join(dataDir, 'validator.key'));
    store = await openSqliteStore(join(dataDir, 'run.sqlite'));
    const opened = store;
    return {
      store,
      ...(await openBlobs(dataDir)),
      signer,
      randomBytes: () => new Uint8Array(randomBytes(SECRET_BYTES)),
      digest: nodeDigest,
      async close() {
        await opened.close();
        await unlock();
      },
    };
  } catch (error) {
    await store?.close();
    await unlock();
    throw error;
  }
}

async function openBlobs(dataDir: string): Promise<Pick<RunFolder, 'blobs' | 'uploads'>> {
  const folder = join(dataDir, 'blobs');
  return { blobs: await folderBlobs(folder), uploads: await folderUploads(join(dataDir, 'uploads'), folder) };
}

/** The parts of a folder that can be read while a validator has it open. */
export async function readRunFolder(dataDir: string): Promise<Pick<RunFolder, 'store' | 'blobs' | 'digest'>> {
  return {
    store: await openSqliteStore(join(dataDir, 'run.sqlite')),
    blobs: await folderBlobs(join(dataDir, 'blobs')),
    digest: nodeDigest,
  };
}
