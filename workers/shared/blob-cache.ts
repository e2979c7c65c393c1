/** The contributor's blob cache on IndexedDB: a blob is there whole or not at all. */
import type { BlobCache } from '../../client/ports.ts';
import { joinParts, MAX_RECORD_BYTES, partRange, splitIntoParts, type Database } from './database.ts';

export function createBlobCache(database: Database, partBytes = MAX_RECORD_BYTES): BlobCache {
  async function drop(sha256s: readonly string[]): Promise<void> {
    await database.use(async (connection) => {
      const transaction = connection.transaction(['blobs', 'parts'], 'readwrite');
      const work = sha256s.flatMap((sha256) => [
        transaction.objectStore('blobs').delete(sha256),
        transaction.objectStore('parts').delete(partRange(sha256)),
      ]);
      await Promise.all([...work, transaction.done]);
    });
  }

  return {
    get: (sha256) =>
      database.use(async (connection) => {
        const transaction = connection.transaction(['blobs', 'parts']);
        const record = await transaction.objectStore('blobs').get(sha256);
        if (!record) return undefined;
        const parts = await transaction.objectStore('parts').getAll(partRange(sha256));
        return parts.length === record.parts ? joinParts(parts, record.byteLength) : undefined;
      }),
    put: (kind, sha256, bytes) =>
      database.use(async (connection) => {
        const parts = splitIntoParts(bytes, partBytes);
        const transaction = connection.transaction(['blobs', 'parts'], 'readwrite');
        const record = { sha256, kind, byteLength: bytes.length, parts: parts.length, storedAtMs: Date.now() };
        await Promise.all([
          transaction.objectStore('blobs').put(record),
          ...parts.map((part, index) => transaction.objectStore('parts').put(part, [sha256, index])),
          transaction.done,
        ]);
      }),
    delete: (sha256) => drop([sha256]),
    async retain(kind, sha256s) {
      const held = await database.use((connection) => connection.getAllKeysFromIndex('blobs', 'kind', kind));
      const stale = held.filter((sha256) => !sha256s.has(sha256));
      if (stale.length > 0) await drop(stale);
    },
  };
}

/** Which of these blobs are held, without reading any. @throws StorageError */
export function heldBlobs(database: Database, sha256s: readonly string[]): Promise<ReadonlySet<string>> {
  return database.use(async (connection) => {
    const held = new Set(await connection.getAllKeys('blobs'));
    return new Set(sha256s.filter((sha256) => held.has(sha256)));
  });
}
