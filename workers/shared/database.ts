/**
 * The tab's one IndexedDB database: verified blobs, optimiser state and keys. Runs in the page and in the
 * worker; each opens its own connection.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import {
  StorageBlockedError,
  StorageError,
  StorageQuotaError,
  StorageVersionError,
  type BlobKind,
} from '../../client/ports.ts';
import type { WalletJoin } from '../../core/protocol/api.ts';

export const DATABASE_NAME = 'gauntlet';
let databaseName = DATABASE_NAME;
const DATABASE_VERSION = 2;
/** Opening takes milliseconds, and an upgrade of ours not much more. */
const PATIENCE_MS = 10_000;

export interface BlobRecord {
  readonly sha256: string;
  readonly kind: BlobKind;
  readonly byteLength: number;
  readonly parts: number;
  readonly storedAtMs: number;
}

export interface OptimiserRecord {
  readonly run: string;
  readonly hotkey: string;
  readonly window: number;
  readonly parts: number;
  readonly byteLength: number;
}

/** An Ed25519 key that WebCrypto made and keeps. */
export interface StoredKey {
  readonly privateKey: CryptoKey;
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

export interface IdentityRecord extends StoredKey {
  readonly id: 'guest';
  readonly createdAtMs: number;
}

/** A session key and what a wallet signed for it, once for each run and hotkey. */
export interface WalletRecord extends StoredKey {
  readonly run: string;
  readonly hotkey: string;
  readonly request: WalletJoin;
  /** Where to ask for the next signature: the wallet's key in `injectedWeb3`, and names for people. */
  readonly wallet: { readonly key: string; readonly name: string; readonly account: string };
}

/** Who contributes to a run from this browser; without a record it is the guest. */
export interface ChoiceRecord {
  readonly run: string;
  readonly hotkey: string;
}

/** Bytes live apart from what describes them, in parts of bounded size, so that lists and deletions never read them. */
export interface GauntletSchema extends DBSchema {
  blobs: { key: string; value: BlobRecord; indexes: { kind: BlobKind } };
  parts: { key: [owner: string, index: number]; value: Uint8Array<ArrayBuffer> };
  optimiser: { key: [run: string, hotkey: string]; value: OptimiserRecord };
  identities: { key: string; value: IdentityRecord };
  wallets: { key: [run: string, hotkey: string]; value: WalletRecord };
  choices: { key: string; value: ChoiceRecord };
}

export type GauntletDatabase = IDBPDatabase<GauntletSchema>;

/** What work throws whose connection the browser closed: this site's data was evicted, or cleared by a person. */
const CLOSED_UNDER_US: ReadonlySet<string> = new Set(['InvalidStateError', 'AbortError']);
const ATTEMPTS = 2;

/** Records larger than this fail on some phones (Dexie #1638, idb #215). */
export const MAX_RECORD_BYTES = 8 * 2 ** 20;

export interface Database {
  /** Runs work on an open connection, opening it when needed. @throws StorageError for whatever storage throws */
  use<T>(work: (database: GauntletDatabase) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Makes this thread work on a database of another name, so that nothing of a demonstration lies among what is real. To be
 * called before anything is stored.
 */
export function nameDatabase(name: string): void {
  databaseName = name;
}

/**
 * A connection that opens on first use, steps aside when a newer version of the app wants to upgrade, and reopens
 * after the browser closed it.
 */
export function createDatabase(ownName?: string): Database {
  let opening: Promise<GauntletDatabase> | undefined;

  function open(): Promise<GauntletDatabase> {
    const forget = (): void => {
      opening = undefined;
    };
    let gaveUp = false;
    return new Promise<GauntletDatabase>((resolve, reject) => {
      function giveUp(): void {
        // It opens after all when the other tab is closed, and nobody waits for it any more.
        gaveUp = true;
        clearTimeout(impatient);
        reject(
          new StorageBlockedError(
            'Another tab holds an older version of this app’s storage open.',
            'Close the other tabs of this site, then start again.',
          ),
        );
      }
      // Only the first that has to wait for another tab is told so: those behind it in the queue hear nothing at all.
      const impatient = setTimeout(giveUp, PATIENCE_MS);
      openDB<GauntletSchema>(ownName ?? databaseName, DATABASE_VERSION, {
        upgrade(database, oldVersion) {
          if (oldVersion < 1) {
            const blobs = database.createObjectStore('blobs', { keyPath: 'sha256' });
            blobs.createIndex('kind', 'kind');
            database.createObjectStore('parts');
            database.createObjectStore('optimiser', { keyPath: ['run', 'hotkey'] });
            database.createObjectStore('identities', { keyPath: 'id' });
          }
          database.createObjectStore('wallets', { keyPath: ['run', 'hotkey'] });
          database.createObjectStore('choices', { keyPath: 'run' });
        },
        blocked: giveUp,
        blocking(_current, _blocked, event) {
          forget();
          (event.target as IDBDatabase).close();
        },
        terminated: forget,
      })
        .then((database) => {
          if (gaveUp) database.close();
          else resolve(database);
        }, reject)
        .finally(() => clearTimeout(impatient));
    });
  }

  return {
    async use(work) {
      for (let attempt = 1; ; attempt++) {
        const current = (opening ??= open());
        try {
          return await work(await current);
        } catch (cause) {
          const closed = CLOSED_UNDER_US.has(nameOf(cause) ?? '');
          // A connection that failed to open, or that was closed under us, is not worth keeping.
          if ((closed || cause instanceof StorageError) && opening === current) opening = undefined;
          // Each piece of work is one transaction, which left nothing behind, and may be done again.
          if (!closed || attempt === ATTEMPTS) throw asStorageError(cause);
        }
      }
    },
    async close() {
      const current = opening;
      opening = undefined;
      // One that failed to open has said so to whoever used it.
      (await current?.catch(() => undefined))?.close();
    },
  };
}

function nameOf(cause: unknown): string | undefined {
  return cause instanceof Error || cause instanceof DOMException ? cause.name : undefined;
}

export function asStorageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  switch (nameOf(cause)) {
    case 'QuotaExceededError':
      return new StorageQuotaError(
        'The browser has no more room for this site.',
        'Free disk space, or clear other sites’ data in the browser’s settings, then start again.',
        { cause },
      );
    case 'VersionError':
      return new StorageVersionError(
        'This browser’s storage was written by a newer version of the app.',
        'Reload the page to get the newer version; where there is none, clear this site’s data in the browser’s settings, keys included.',
        { cause },
      );
    case 'SecurityError':
    case 'InvalidStateError':
    case 'UnknownError':
      return new StorageError(
        `The browser refuses storage for this site (${detail}).`,
        'Leave private browsing, or allow this site to store data, then reload the page.',
        { cause },
      );
    default:
      return new StorageError(
        `Reading or writing this site’s storage failed (${detail}).`,
        'Reload the page; if it happens again, clear this site’s data in the browser’s settings.',
        { cause },
      );
  }
}

/**
 * Copies bytes into records of bounded size. The copy matters: IndexedDB clones the whole buffer under a view, which
 * may be the entire download.
 */
export function splitIntoParts(bytes: Uint8Array, partBytes = MAX_RECORD_BYTES): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0; offset < bytes.length; offset += partBytes) {
    parts.push(new Uint8Array(bytes.subarray(offset, offset + partBytes)));
  }
  return parts;
}

/** Undefined when a part is missing or the length is not what was written. */
export function joinParts(
  parts: readonly (Uint8Array<ArrayBuffer> | undefined)[],
  byteLength: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (parts.length === 1 && parts[0]?.length === byteLength) return parts[0];
  const bytes = new Uint8Array(byteLength);
  let offset = 0;
  for (const part of parts) {
    if (!part || offset + part.length > byteLength) return undefined;
    bytes.set(part, offset);
    offset += part.length;
  }
  return offset === byteLength ? bytes : undefined;
}

/** Every part of one owner. */
export function partRange(owner: string): IDBKeyRange {
  return IDBKeyRange.bound([owner, 0], [owner, Number.MAX_SAFE_INTEGER]);
}
