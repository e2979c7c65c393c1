/** What a page's origin holds in storage, by its own count. */
import type { Page } from '@playwright/test';
import { DATABASE_NAME } from '../../workers/shared/database.ts';

export interface Stored {
  /** Records of each object store. */
  readonly records: Readonly<Record<string, number>>;
  /** Blobs of each kind. */
  readonly blobs: Readonly<Record<string, number>>;
  /** Of all parts. */
  readonly bytes: number;
  /** As the browser estimates it: the log of a database is in it until it is compacted. */
  readonly usageBytes: number;
}

export function readStored(page: Page): Promise<Stored> {
  return page.evaluate(async (name) => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('storage failed'));
      });
    const database = await done(indexedDB.open(name));
    const names = [...database.objectStoreNames];
    const transaction = database.transaction(names);
    const records: Record<string, number> = {};
    for (const each of names) records[each] = await done(transaction.objectStore(each).count());
    const blobs: Record<string, number> = {};
    for (const { kind } of (await done<unknown[]>(transaction.objectStore('blobs').getAll())) as { kind: string }[]) {
      blobs[kind] = (blobs[kind] ?? 0) + 1;
    }
    const parts = (await done<unknown[]>(transaction.objectStore('parts').getAll())) as Uint8Array[];
    database.close();
    const { usage = 0 } = await navigator.storage.estimate();
    return { records, blobs, bytes: parts.reduce((sum, part) => sum + part.length, 0), usageBytes: usage };
  }, DATABASE_NAME);
}
