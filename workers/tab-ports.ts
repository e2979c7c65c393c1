/** The contributor's ports in a tab: IndexedDB, the identity's key, the browser's fetch and clock, and the web engine. */
import { guestIdentity, type Identity } from '../client/identity.ts';
import { microBatchSequences } from '../client/micro-batch.ts';
import type { ContributorPorts } from '../client/ports.ts';
import { chooseBackend, createFittingTrainer } from '../engine/web.ts';
import { createBlobCache } from './shared/blob-cache.ts';
import type { Database } from './shared/database.ts';
import { openGuestIdentity } from './shared/guest-identity.ts';
import { openWalletIdentity } from './shared/wallet-identity.ts';
import { createOptimiserStore } from './shared/optimiser-store.ts';
import { freeStorageBytes } from './shared/storage-room.ts';
import { sleep } from './sleep.ts';
import type { StartOptions } from './trainer-api.ts';

export type BackendChoice = NonNullable<Parameters<typeof chooseBackend>[0]>;

export interface TabPortsOptions {
  readonly backend: BackendChoice;
  /** GPU memory that may be used, in MiB; else what the browser says of the machine decides. */
  readonly memoryMib: number | undefined;
  readonly wallet: StartOptions['wallet'];
  /** The browser's without it. */
  readonly fetch?: typeof fetch;
}

/** @throws KeyError, SignatureNeededError or StorageError */
export async function createTabPorts(database: Database, options: TabPortsOptions): Promise<ContributorPorts> {
  return {
    identity: await openIdentity(database, options.wallet),
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
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    // Not `Date.now`: a person, or a time server, may set that clock by hours in the middle of a window.
    now: () => performance.timeOrigin + performance.now(),
    sleep,
  };
}

async function openIdentity(database: Database, wallet: StartOptions['wallet']): Promise<Identity> {
  if (wallet) return openWalletIdentity(database, wallet);
  return guestIdentity((await openGuestIdentity(database)).signer);
}
