/** What lies in this browser's storage, by kind, and its deletion. Neither reads the bytes themselves. */
import type { BlobKind } from '../../client/ports.ts';
import { partRange, type Database, type GauntletDatabase } from './database.ts';
import { optimiserOwner } from './optimiser-store.ts';

/** As people tell things apart; each is cleared as a whole. */
export type StoredKind = 'checkpoint' | 'steps' | 'text' | 'optimiser' | 'guest-key' | 'wallet-keys';

export interface StoredContents {
  readonly kind: StoredKind;
  readonly records: number;
  /** Null for keys, whose size is no matter. */
  readonly bytes: number | null;
}

const BLOBS: Readonly<Record<BlobKind, StoredKind>> = {
  'checkpoint-chunk': 'checkpoint',
  'outer-step': 'steps',
  page: 'text',
  'page-index': 'text',
  tokenizer: 'text',
};

/** In a constant order, kinds of which there is nothing included. @throws StorageError */
export function readStoredContents(database: Database): Promise<StoredContents[]> {
  return database.use(async (connection) => {
    const transaction = connection.transaction(['blobs', 'optimiser', 'identities', 'wallets']);
    const [blobs, optimisers, guests, wallets] = await Promise.all([
      transaction.objectStore('blobs').getAll(),
      transaction.objectStore('optimiser').getAll(),
      transaction.objectStore('identities').count(),
      transaction.objectStore('wallets').count(),
    ]);
    const bytesOf = (records: readonly { readonly byteLength: number }[]): number =>
      records.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const blobsOf = (kind: StoredKind): StoredContents => {
      const records = blobs.filter((blob) => BLOBS[blob.kind] === kind);
      return { kind, records: records.length, bytes: bytesOf(records) };
    };
    return [
      blobsOf('checkpoint'),
      blobsOf('steps'),
      blobsOf('text'),
      { kind: 'optimiser', records: optimisers.length, bytes: bytesOf(optimisers) },
      { kind: 'guest-key', records: guests, bytes: null },
      { kind: 'wallet-keys', records: wallets, bytes: null },
    ];
  });
}

async function clearBlobs(connection: GauntletDatabase, kind: StoredKind): Promise<void> {
  const transaction = connection.transaction(['blobs', 'parts'], 'readwrite');
  const kinds = (Object.keys(BLOBS) as BlobKind[]).filter((each) => BLOBS[each] === kind);
  const index = transaction.objectStore('blobs').index('kind');
  const keys = (await Promise.all(kinds.map((each) => index.getAllKeys(each)))).flat();
  await Promise.all([
    ...keys.flatMap((sha256) => [
      transaction.objectStore('blobs').delete(sha256),
      transaction.objectStore('parts').delete(partRange(sha256)),
    ]),
    transaction.done,
  ]);
}

/** @throws StorageError; what was there is then still there */
export function clearStored(database: Database, kind: StoredKind): Promise<void> {
  return database.use(async (connection) => {
    switch (kind) {
      case 'checkpoint':
      case 'steps':
      case 'text':
        return clearBlobs(connection, kind);
      case 'optimiser': {
        const transaction = connection.transaction(['optimiser', 'parts'], 'readwrite');
        const held = await transaction.objectStore('optimiser').getAllKeys();
        await Promise.all([
          ...held.map(([run, hotkey]) =>
            transaction.objectStore('parts').delete(partRange(optimiserOwner(run, hotkey))),
          ),
          transaction.objectStore('optimiser').clear(),
          transaction.done,
        ]);
        return;
      }
      case 'guest-key':
        return connection.clear('identities');
      case 'wallet-keys': {
        const transaction = connection.transaction(['wallets', 'choices'], 'readwrite');
        await Promise.all([
          transaction.objectStore('wallets').clear(),
          transaction.objectStore('choices').clear(),
          transaction.done,
        ]);
        return;
      }
      default:
        return kind satisfies never;
    }
  });
}
