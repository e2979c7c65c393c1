/** The contributor's ports in a tab: IndexedDB, the guest key, the browser's fetch and clock, and the web engine. */
import type { ContributorPorts } from '../client/ports.ts';
import type { BackendReport } from '../engine/engine.ts';
import { chooseBackend, createWebTrainer } from '../engine/web.ts';
import { createBlobCache } from './shared/blob-cache.ts';
import type { Database } from './shared/database.ts';
import { openGuestIdentity } from './shared/guest-identity.ts';
import { createOptimiserStore } from './shared/optimiser-store.ts';
import { freeStorageBytes } from './shared/storage-room.ts';
import { sleep } from './sleep.ts';
import type { ForcedBackend } from './trainer-api.ts';

export function probeBackend(force?: ForcedBackend): Promise<BackendReport> {
  return chooseBackend(force === undefined ? {} : { force });
}

/** @throws GuestIdentityError or StorageError */
export async function createTabPorts(database: Database, force?: ForcedBackend): Promise<ContributorPorts> {
  const { signer } = await openGuestIdentity(database);
  return {
    identity: { kind: 'guest', hotkeySigner: signer, sessionSigner: signer },
    blobs: createBlobCache(database),
    optimiser: createOptimiserStore(database),
    storageQuotaBytes: freeStorageBytes,
    createTrainer: async ({ config, sequences }) =>
      createWebTrainer({ config, sequences, backend: await probeBackend(force) }),
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    sleep,
  };
}
