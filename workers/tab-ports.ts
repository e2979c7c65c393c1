/** The contributor's ports in a tab: IndexedDB, the guest key, the browser's fetch and clock, and the web engine. */
import { guestIdentity } from '../client/identity.ts';
import { microBatchSequences } from '../client/micro-batch.ts';
import type { ContributorPorts } from '../client/ports.ts';
import { chooseBackend, createFittingTrainer } from '../engine/web.ts';
import { createBlobCache } from './shared/blob-cache.ts';
import type { Database } from './shared/database.ts';
import { openGuestIdentity } from './shared/guest-identity.ts';
import { createOptimiserStore } from './shared/optimiser-store.ts';
import { freeStorageBytes } from './shared/storage-room.ts';
import { sleep } from './sleep.ts';

export type BackendChoice = NonNullable<Parameters<typeof chooseBackend>[0]>;

export interface TabPortsOptions {
  readonly backend: BackendChoice;
  /** GPU memory that may be used, in MiB; else what the browser says of the machine decides. */
  readonly memoryMib: number | undefined;
}

/** @throws GuestIdentityError or StorageError */
export async function createTabPorts(database: Database, options: TabPortsOptions): Promise<ContributorPorts> {
  const { signer } = await openGuestIdentity(database);
  return {
    identity: guestIdentity(signer),
    blobs: createBlobCache(database),
    optimiser: createOptimiserStore(database),
    storageQuotaBytes: freeStorageBytes,
    createTrainer: async ({ config, scheme, pageSequences }) =>
      createFittingTrainer({
        config,
        scheme,
        pageSequences,
        hostSequences: microBatchSequences(pageSequences),
        // Chosen anew each time: after a lost device the other one may be what is left.
        backend: await chooseBackend(options.backend),
        memoryMib: options.memoryMib,
      }),
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    sleep,
  };
}
