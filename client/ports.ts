/** What a contributor needs from the place it runs in: a tab's worker, a Node process, a test. */
import type { Trainer } from '../engine/engine.ts';
import type { ModelConfig } from '../core/model/config.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import type { Identity } from './identity.ts';

/** What a blob is for: decides how long it is kept. */
export type BlobKind = 'checkpoint-chunk' | 'outer-step' | 'page' | 'page-index' | 'tokenizer';

/** Verified content-addressed blobs kept between visits (IndexedDB in a tab). */
export interface BlobCache {
  /** Undefined when it is not held. The caller verifies the hash again: storage may rot or be edited. */
  get(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** @throws StorageError when there is no room; the cache is unchanged then. */
  put(kind: BlobKind, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(sha256: string): Promise<void>;
  /** Drops every blob of a kind whose hash is not listed. */
  retain(kind: BlobKind, sha256s: ReadonlySet<string>): Promise<void>;
}

/** The optimiser state (momentum and error feedback) of one run and hotkey. */
export interface OptimiserStore {
  load(run: string, hotkey: string): Promise<{ window: number; bytes: Uint8Array } | undefined>;
  save(run: string, hotkey: string, state: { window: number; bytes: Uint8Array }): Promise<void>;
}

/** No room, or storage that fails; `remedy` says what a person can do. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** The browser has no more room for the site. */
export class StorageQuotaError extends StorageError {
  override readonly name = 'StorageQuotaError';
}

/** A newer version of the app has stored something here that this one cannot read. */
export class StorageVersionError extends StorageError {
  override readonly name = 'StorageVersionError';
}

/** Another tab of an older version keeps what is stored from being brought up to date. */
export class StorageBlockedError extends StorageError {
  override readonly name = 'StorageBlockedError';
}

export interface ContributorPorts {
  readonly identity: Identity;
  readonly blobs: BlobCache;
  readonly optimiser: OptimiserStore;
  /** Bytes that may be stored before the download starts, or undefined when unknown. */
  readonly storageQuotaBytes?: () => Promise<number | undefined>;
  /**
   * Compiles an engine for the run's model, with as many sequences a batch as the device is good for beside the scheme's
   * state: a divisor of `pageSequences`. Called again after a lost device. An error with a `remedy` is one that only a
   * person can mend.
   */
  readonly createTrainer: (options: {
    config: ModelConfig;
    scheme: RunManifest['scheme']['name'];
    pageSequences: number;
  }) => Promise<Trainer>;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch on this machine, wrong by a constant at most: only ever used relative to the server's time. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
