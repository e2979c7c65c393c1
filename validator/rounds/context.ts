/** What stays the same as long as a run lasts, and the ports that everything in this room works through. */
import { decodePageIndex, pageFormat, type PageFormat } from '../../core/data/pages.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import type { Signer, VerifySignature } from '../../core/identity/signing.ts';
import type { RunManifest, SignedManifest } from '../../core/protocol/manifest.ts';
import { assertSpoken } from '../../core/protocol/versions.ts';
import type { Scheme } from '../../core/scheme/scheme.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type {
  BlobStore,
  Clock,
  JudgeEngineFactory,
  Log,
  Metrics,
  RandomBytes,
  RunChain,
  SealedUploads,
} from './ports.ts';
import type { RunStore } from './store.ts';

export interface RoundsPorts {
  readonly clock: Clock;
  readonly store: RunStore;
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
  readonly createJudgeEngine: JudgeEngineFactory;
  /** Signs receipts with the manifest's validator key. */
  readonly signer: Signer;
  readonly randomBytes: RandomBytes;
  readonly digest: Digest;
  /** Of signatures that this server alone decides on, where there is something quicker than `verifySignature`. */
  readonly verify?: VerifySignature;
  readonly log: Log;
  readonly metrics: Metrics;
  /** In a run with a chain. */
  readonly chain?: RunChain;
}

export interface RunContext {
  readonly signed: SignedManifest;
  readonly run: string;
  readonly manifest: RunManifest;
  readonly scheme: Scheme;
  readonly pages: {
    readonly format: PageFormat;
    /** Blob of each page. */
    readonly hashes: readonly string[];
    /** Pages [0, train) are assigned; the rest is held out. */
    readonly train: number;
  };
}

/**
 * The run in a store, with what follows from its manifest.
 *
 * @throws CorruptRunError when there is none or its index is lost; ProtocolError for one that this program cannot go on with
 */
export async function loadContext({
  store,
  blobs,
}: {
  readonly store: Pick<RunStore, 'run'>;
  readonly blobs: Pick<BlobStore, 'read'>;
}): Promise<RunContext> {
  const signed = await store.run();
  if (!signed) throw new CorruptRunError('there is no run in the store');
  const { run, manifest } = signed;
  assertSpoken(manifest.protocol);
  const index = await blobs.read(manifest.data.index.sha256);
  if (!index) throw new CorruptRunError(`the page index (blob ${manifest.data.index.sha256}) is missing`);
  return {
    signed,
    run,
    manifest,
    scheme: createScheme(manifest.scheme, parameterLayout(manifest.model)),
    pages: {
      format: pageFormat(manifest),
      hashes: decodePageIndex(index, manifest.data.pages),
      train: manifest.data.pages - manifest.data.heldOutPages,
    },
  };
}

/** ISO 8601 of a time in milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
