/** What a run keeps, opened together: in its folder, but for what is kept in other places. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer, VerifySignature } from '../../core/identity/signing.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { BlobStore, Log, RandomBytes, SealedUploads } from '../rounds/ports.ts';
import type { RunStore } from '../rounds/store.ts';
import { nodeVerify } from './ed25519.ts';
import { folderBlobs, folderUploads } from './folder-blobs.ts';
import { keyFileSigner } from './key-file.ts';
import { lockFolder } from './lock.ts';
import { PlacesError, type Places } from './places.ts';
import { openPostgres, type PostgresRun } from './postgres/postgres.ts';
import { openBucket } from './s3/bucket.ts';
import { objectBlobs, objectUploads } from './s3/object-blobs.ts';
import { openSqliteStore } from './sqlite.ts';

export interface RunFolder {
  readonly store: RunStore;
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
  readonly signer: Signer;
  readonly randomBytes: RandomBytes;
  readonly digest: Digest;
  /** Whether something of it is kept in the folder. */
  readonly isLocal: boolean;
  readonly verify: VerifySignature;
  /** On a database that other processes may be at, too. */
  readonly shared?: PostgresRun;
  close(): Promise<void>;
}

const SECRET_BYTES = 32;

/** OpenSSL's SHA-256. */
export const nodeDigest: Digest = (bytes) => Promise.resolve(createHash('sha256').update(bytes).digest());

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function openBlobs(dataDir: string, { bucket }: Places): Promise<Pick<RunFolder, 'blobs' | 'uploads'>> {
  if (bucket) {
    const opened = openBucket(bucket);
    return { blobs: objectBlobs(opened), uploads: objectUploads(opened) };
  }
  const folder = join(dataDir, 'blobs');
  return { blobs: await folderBlobs(folder), uploads: await folderUploads(join(dataDir, 'uploads'), folder) };
}

async function openRecord(
  dataDir: string,
  { database }: Places,
  log: Log,
  alone = false,
): Promise<Pick<RunFolder, 'store' | 'shared'>> {
  if (database === undefined) return { store: await openSqliteStore(join(dataDir, 'run.sqlite'), alone) };
  const shared = await openPostgres(database, log);
  return { store: shared.store, shared };
}

/**
 * Opens a run's folder, made when missing, and whatever of the run is kept elsewhere.
 *
 * @throws FolderInUseError when another validator has it and something of the run is kept there
 */
export async function openRunFolder(dataDir: string, places: Places = {}, log: Log = silent): Promise<RunFolder> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const isElsewhere = places.database !== undefined && places.bucket !== undefined;
  const unlock = isElsewhere ? () => Promise.resolve() : await lockFolder(dataDir);
  let record: Pick<RunFolder, 'store' | 'shared'> | undefined;
  const close = async (): Promise<void> => {
    await (record?.shared ?? record?.store)?.close();
    await unlock();
  };
  try {
    const signer = await keyFileSigner(places.keyFile ?? join(dataDir, 'validator.key'));
    record = await openRecord(dataDir, places, log, true);
    return {
      ...record,
      ...(await openBlobs(dataDir, places)),
      isLocal: !isElsewhere,
      signer,
      randomBytes: () => new Uint8Array(randomBytes(SECRET_BYTES)),
      digest: nodeDigest,
      verify: nodeVerify,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const SHARED_NEEDS = 'several processes share a run through DATABASE_URL and BLOBS_URL: set both';

/** A run that several processes share. */
export type SharedFolder = RunFolder & { readonly shared: PostgresRun };

/** @throws PlacesError for a run that is kept where one process alone can be */
export async function openSharedRun(dataDir: string, places: Places, log: Log): Promise<SharedFolder> {
  if (places.database === undefined || places.bucket === undefined) throw new PlacesError(SHARED_NEEDS);
  const folder = await openRunFolder(dataDir, places, log);
  return folder as SharedFolder;
}

/** What an evaluator needs of a run that several processes share: it signs nothing. @throws PlacesError */
export async function openEvaluatedRun(
  places: Places,
  log: Log,
): Promise<Omit<SharedFolder, 'signer' | 'randomBytes' | 'isLocal' | 'verify'>> {
  if (places.database === undefined || places.bucket === undefined) throw new PlacesError(SHARED_NEEDS);
  const shared = await openPostgres(places.database, log);
  const { blobs, uploads } = await openBlobs('', places);
  return { store: shared.store, shared, blobs, uploads, digest: nodeDigest, close: () => shared.close() };
}

/** The parts of a run that can be read while a validator has it open. */
export async function readRunFolder(
  dataDir: string,
  places: Places = {},
): Promise<Pick<RunFolder, 'store' | 'shared' | 'blobs' | 'uploads' | 'digest' | 'close'>> {
  const record = await openRecord(dataDir, places, silent);
  return {
    ...record,
    ...(await openBlobs(dataDir, places)),
    digest: nodeDigest,
    close: () => (record.shared ?? record.store).close(),
  };
}
