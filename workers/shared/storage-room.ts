/** How much the browser lets this site store, and the request to keep it when space runs short. */

export interface StorageRoom {
  /** Undefined where the browser does not say. */
  readonly usedBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  /** Whether the browser promised not to evict this site's data on its own. */
  readonly persisted: boolean;
}

/** The part of `navigator.storage` used here, so that tests can stand in for it. */
export type StorageManagerLike = Partial<Pick<StorageManager, 'estimate' | 'persist' | 'persisted'>>;

function browserStorage(): StorageManagerLike | undefined {
  return (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
}

export async function readStorageRoom(
  storage: StorageManagerLike | undefined = browserStorage(),
): Promise<StorageRoom> {
  const [estimate, persisted] = await Promise.all([
    storage?.estimate?.().catch(() => undefined),
    storage?.persisted?.().catch(() => false),
  ]);
  return { usedBytes: estimate?.usage, quotaBytes: estimate?.quota, persisted: persisted ?? false };
}

/** Bytes that may still be stored. */
export async function freeStorageBytes(
  storage: StorageManagerLike | undefined = browserStorage(),
): Promise<number | undefined> {
  const { usedBytes, quotaBytes } = await readStorageRoom(storage);
  return quotaBytes === undefined ? undefined : Math.max(0, quotaBytes - (usedBytes ?? 0));
}

/** Asks to be spared from eviction. Browsers decide by themselves and often refuse: nothing may depend on it. */
export async function requestPersistence(storage: StorageManagerLike | undefined = browserStorage()): Promise<boolean> {
  return (await storage?.persist?.().catch(() => false)) ?? false;
}
