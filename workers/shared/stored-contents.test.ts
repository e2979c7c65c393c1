import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createBlobCache } from './blob-cache.ts';
import { createDatabase, type Database } from './database.ts';
import { openGuestIdentity } from './guest-identity.ts';
import { createOptimiserStore } from './optimiser-store.ts';
import { clearStored, readStoredContents, type StoredKind } from './stored-contents.ts';

let database: Database;
let count = 0;

const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(7);

beforeEach(async () => {
  database = createDatabase(`contents-${count++}`);
  const cache = createBlobCache(database, 4);
  await cache.put('checkpoint-chunk', 'a', bytes(9));
  await cache.put('outer-step', 'b', bytes(5));
  await cache.put('page', 'c', bytes(3));
  await cache.put('tokenizer', 'd', bytes(2));
  await createOptimiserStore(database, 4).save('run', 'hotkey', { window: 1, bytes: bytes(6) });
  await openGuestIdentity(database);
});

const sizes = async (): Promise<Record<string, number | null>> =>
  Object.fromEntries((await readStoredContents(database)).map(({ kind, bytes: size }) => [kind, size]));

const parts = (): Promise<number> => database.use((connection) => connection.count('parts'));

describe('stored contents', () => {
  it('are listed by kind', async () => {
    expect(await readStoredContents(database)).toEqual([
      { kind: 'checkpoint', records: 1, bytes: 9 },
      { kind: 'steps', records: 1, bytes: 5 },
      { kind: 'text', records: 2, bytes: 5 },
      { kind: 'optimiser', records: 1, bytes: 6 },
      { kind: 'guest-key', records: 1, bytes: null },
      { kind: 'wallet-keys', records: 0, bytes: null },
    ]);
  });

  it.each<[StoredKind, number]>([
    ['checkpoint', 3],
    ['steps', 2],
    ['text', 2],
    ['optimiser', 2],
  ])('clearing %s takes its bytes and no others', async (kind, itsParts) => {
    const [before, partsBefore] = [await sizes(), await parts()];
    await clearStored(database, kind);
    expect(await sizes()).toEqual({ ...before, [kind]: 0 });
    expect(await parts()).toBe(partsBefore - itsParts);
  });

  it('clearing the guest’s key makes the next one another', async () => {
    const { hotkey } = await openGuestIdentity(database);
    await clearStored(database, 'guest-key');
    expect((await openGuestIdentity(database)).hotkey).not.toBe(hotkey);
  });
});
