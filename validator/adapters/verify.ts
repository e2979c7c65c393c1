/** Whether everything that a run's record names is there and is what it says. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { verifyManifest } from '../../core/identity/manifest.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import { loadContext } from '../rounds/context.ts';
import { loadParameters } from '../rounds/parameters.ts';
import type { BlobStore, SealedUploads } from '../rounds/ports.ts';
import type { RunStore } from '../rounds/store.ts';

export interface VerifiedRun {
  readonly store: RunStore;
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
  readonly digest: Digest;
}

export interface Verification {
  readonly run: string;
  /** Open now. */
  readonly window: number;
  readonly blobs: number;
  /** What is wrong, a sentence each. */
  readonly findings: readonly string[];
}

const WINDOWS_AT_ONCE = 100;

/** @throws CorruptRunError, ManifestError when so much is wrong that nothing else can be looked at */
export async function verifyRun(
  folder: VerifiedRun,
  onProgress: (what: string) => void = () => undefined,
): Promise<Verification> {
  const { store, blobs, uploads, digest } = folder;
  const context = await loadContext(folder);
  verifyManifest(context.signed);
  const open = await store.openWindow();
  const findings: string[] = [];
  const seen = new Set<string>();

  async function look(
    what: string,
    sha256: string,
    read: (sha256: string) => Promise<Uint8Array<ArrayBuffer> | undefined>,
  ): Promise<void> {
    const bytes = await read(sha256);
    if (!bytes) findings.push(`${what} (${sha256}) is missing: restore it from a backup.`);
    else if (bytesToHex(await digest(bytes)) !== sha256) {
      findings.push(`${what} (${sha256}) is damaged: delete the file and restore it from a backup.`);
    }
  }
  async function blob(what: string, sha256: string): Promise<void> {
    if (seen.has(sha256)) return;
    seen.add(sha256);
    await look(what, sha256, (name) => blobs.read(name));
  }

  onProgress('pages');
  await blob('The tokenizer', context.manifest.tokenizer.sha256);
  for (const [page, sha256] of context.pages.hashes.entries()) await blob(`Page ${page}`, sha256);
  onProgress('parameters');
  await loadParameters(context, folder, open.stateRoot).catch((error: unknown) => {
    findings.push(
      `The parameters of window ${open.window} cannot be put together: ${error instanceof Error ? error.message : String(error)}.`,
    );
  });
  for (let from = 1; from < open.window; from += WINDOWS_AT_ONCE) {
    for (const { window, outerStep } of await store.summaries(from, WINDOWS_AT_ONCE)) {
      if (window >= from + WINDOWS_AT_ONCE) break;
      onProgress(`window ${window}`);
      if (outerStep) await blob(`The outer step of window ${window}`, outerStep.sha256);
      const book = await store.book(window);
      if (book) await blob(`The book of window ${window}`, book.ref.sha256);
      for (const { hotkey, sha256 } of (await store.record(window))?.contributions ?? []) {
        await blob(`${hotkey}’s contribution to window ${window}`, sha256);
      }
    }
  }
  for (const { hotkey, sha256 } of await store.contributions(open.window)) {
    await look(`${hotkey}’s upload in the open window ${open.window}`, sha256, (name) => uploads.read(name));
  }
  return { run: context.run, window: open.window, blobs: seen.size, findings };
}
