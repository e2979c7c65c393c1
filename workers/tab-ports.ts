/** The contributor's ports in a tab: IndexedDB, the guest key, the browser's fetch and clock, and the web engine. */
import { microBatchSequences } from '../client/micro-batch.ts';
import type { ContributorPorts } from '../client/ports.ts';
import { chooseBackend, createWebTrainer } from '../engine/web.ts';
import { createBlobCache } from './shared/blob-cache.ts';
import type { Database } from './shared/database.ts';
import { openGuestIdentity } from './shared/guest-identity.ts';
import { createOptimiserStore } from './shared/optimiser-store.ts';
import { freeStorageBytes } from './shared/storage-room.ts';
import { sleep } from './sleep.ts';

export type BackendChoice = NonNullable<Parameters<typeof chooseBackend>[0]>;

/** @throws GuestIdentityError or StorageError */
export async function createTabPorts(database: Database, choice: BackendChoice): Promise<ContributorPorts> {
  const { signer } = await openGuestIdentity(database);
  return {
    identity: { kind: 'guest', hotkeySigner: signer, sessionSigner: signer },
    blobs: createBlobCache(database),
    optimiser: createOptimiserStore(database),
    storageQuotaBytes: freeStorageBytes,
    // Chosen anew each time: after a lost device the other one may be what is left.
    createTrainer: async ({ config, pageSequences }) =>
      createWebTrainer({
        config,
        sequences: microBatchSequences(pageSequences),
        backend: await chooseBackend(choice),
      }),
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    sleep,
  };
}
