import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { StorageError } from '../../client/ports.ts';
import { createBlobCache } from './blob-cache.ts';
import { asStorageError, createDatabase, type Database } from './database.ts';
import { createOptimiserStore } from './optimiser-store.ts';
import { freeStorageBytes, readStorageRoom, requestPersistence } from './storage-room.ts';

let database: Database;
let count = 0;

beforeEach(() => {
  database = createDatabase(`test-${count++}`);
});

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

describe('blob cache', () => {
  it('gives back what was put, and nothing for the unknown', async () => {
    const cache = createBlobCache(database);
    await cache.put('page', 'a', bytes(1, 2, 3));
    expect(await cache.get('a')).toEqual(bytes(1, 2, 3));
    expect(await cache.get('b')).toBeUndefined();
  });

  it('splits what is larger than a record and joins it again', async () => {
    const cache = createBlobCache(database, 4);
    await cache.put('outer-step', 'a', bytes(1, 2, 3, 4, 5, 6, 7, 8, 9));
    expect(await cache.get('a')).toEqual(bytes(1, 2, 3, 4, 5, 6, 7, 8, 9));
    expect(await database.use((connection) => connection.count('parts'))).toBe(3);
  });

  it('does not hand out a blob that lost a part', async () => {
    const cache = createBlobCache(database, 4);
    await cache.put('page', 'a', bytes(1, 2, 3, 4, 5, 6));
    await database.use((connection) => connection.delete('parts', ['a', 1]));
    expect(await cache.get('a')).toBeUndefined();
  });

  it('holds an empty blob', async () => {
    const cache = createBlobCache(database);
    await cache.put('page', 'empty', bytes());
    expect(await cache.get('empty')).toEqual(bytes());
  });

  it('stores a view without the buffer beneath it', async () => {
    const cache = createBlobCache(database);
    const large = new Uint8Array(1_000).fill(7);
    await cache.put('page', 'a', large.subarray(10, 12));
    expect((await cache.get('a'))?.buffer.byteLength).toBe(2);
  });

  it('drops a kind’s blobs that are not listed, and only those', async () => {
    const cache = createBlobCache(database, 2);
    await cache.put('outer-step', 'old', bytes(1, 2, 3));
    await cache.put('outer-step', 'new', bytes(4));
    await cache.put('page', 'page', bytes(5));
    await cache.retain('outer-step', new Set(['new']));
    expect(await cache.get('old')).toBeUndefined();
    expect(await cache.get('new')).toEqual(bytes(4));
    expect(await cache.get('page')).toEqual(bytes(5));
    expect(await database.use((connection) => connection.count('parts'))).toBe(2);
  });

  it('survives a closed connection', async () => {
    const cache = createBlobCache(database);
    await cache.put('page', 'a', bytes(1));
    await database.close();
    expect(await cache.get('a')).toEqual(bytes(1));
  });
});

describe('optimiser store', () => {
  it('keeps one state a run and hotkey, the newest', async () => {
    const store = createOptimiserStore(database, 2);
    await store.save('run', 'hotkey', { window: 1, bytes: bytes(1, 2, 3, 4, 5) });
    await store.save('run', 'hotkey', { window: 2, bytes: bytes(6, 7, 8) });
    await store.save('run', 'other', { window: 9, bytes: bytes(9) });
    expect(await store.load('run', 'hotkey')).toEqual({ window: 2, bytes: bytes(6, 7, 8) });
    expect(await store.load('another', 'hotkey')).toBeUndefined();
  });
});

describe('storage errors', () => {
  it('carry a remedy', () => {
    const error = asStorageError(new DOMException('full', 'QuotaExceededError'));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.remedy).toMatch(/Free disk space/);
    expect(asStorageError(error)).toBe(error);
  });

  it('reach the caller as such', async () => {
    await expect(
      database.use(() => Promise.reject(new DOMException('full', 'QuotaExceededError'))),
    ).rejects.toBeInstanceOf(StorageError);
  });

  it('of a connection that the browser closed under the work are met with another connection', async () => {
    let attempts = 0;
    const work = (connection: { readonly name: string; close(): void }): Promise<string> => {
      if (++attempts > 1) return Promise.resolve(connection.name);
      connection.close();
      return Promise.reject(new DOMException('The database connection is closing.', 'InvalidStateError'));
    };
    await expect(database.use(work)).resolves.toMatch(/^test-/);
    await expect(
      database.use(() => Promise.reject(new DOMException('again', 'InvalidStateError'))),
    ).rejects.toBeInstanceOf(StorageError);
  });

  it('say that an older tab is in the way, to the first who waits for it and to all behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const name = `held-${count++}`;
      const held = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(name, 1);
        request.onsuccess = () => resolve(request.result);
      });
      const blocked = [createDatabase(name), createDatabase(name)].map((each) =>
        expect(each.use(() => Promise.resolve())).rejects.toMatchObject({ name: 'StorageBlockedError' }),
      );
      await vi.advanceTimersByTimeAsync(20_000);
      await Promise.all(blocked);
      held.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('say who is in the way of an upgrade, and the older connection steps aside', async () => {
    const cache = createBlobCache(database);
    await cache.put('page', 'a', bytes(1));
    const name = await database.use((connection) => Promise.resolve(connection.name));
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name, 99);
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
      request.onerror = () => reject(new Error('not upgraded'));
    });
    await expect(cache.get('a')).rejects.toMatchObject({
      name: 'StorageVersionError',
      remedy: expect.stringMatching(/newer version/) as string,
    });
    await database.close();
  });
});

describe('storage room', () => {
  it('subtracts what is used', async () => {
    const storage = {
      estimate: () => Promise.resolve({ usage: 30, quota: 100 }),
      persisted: () => Promise.resolve(true),
    };
    expect(await freeStorageBytes(storage)).toBe(70);
    expect((await readStorageRoom(storage)).persisted).toBe(true);
  });

  it('knows nothing where the browser says nothing', async () => {
    expect(await freeStorageBytes({})).toBeUndefined();
    expect(await requestPersistence({})).toBe(false);
    expect(await requestPersistence({ persist: () => Promise.reject(new Error('no')) })).toBe(false);
  });
});
