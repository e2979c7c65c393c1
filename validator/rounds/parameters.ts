/** The run's parameters: written as checkpoints, and found again as the newest checkpoint plus the steps since. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { applyOuterStep } from '../../core/lockstep/outer-step.ts';
import type { Digest } from '../../core/lockstep/digest.ts';
import { parameterBytes, parameterChunks } from '../../core/lockstep/parameters.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import type { RunContext } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type { BlobStore } from './ports.ts';
import type { CheckpointRow, RunStore } from './store.ts';

/** Stores the parameters as a checkpoint that `window` trains from. */
export async function writeCheckpoint(
  blobs: BlobStore,
  parameters: Float32Array<ArrayBuffer>,
  { window, root, chunkBytes }: { window: number; root: string; chunkBytes: number },
): Promise<CheckpointRow> {
  const chunks: BlobRef[] = [];
  for (const chunk of parameterChunks(parameters, chunkBytes)) {
    chunks.push(await blobs.put(chunk));
  }
  return { window, stateRoot: root, chunks };
}

async function readVerified(
  blobs: Pick<BlobStore, 'read'>,
  ref: BlobRef,
  digest: Digest,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await blobs.read(ref.sha256);
  if (!bytes) throw new CorruptRunError(`${what} (blob ${ref.sha256}) is missing`);
  if (bytes.length !== ref.bytes || bytesToHex(await digest(bytes)) !== ref.sha256) {
    throw new CorruptRunError(`${what} (blob ${ref.sha256}) is damaged`);
  }
  return bytes;
}

/**
 * The parameters that the open window trains from.
 *
 * @param expected root of the open window
 * @throws CorruptRunError when a blob is missing or damaged, or the root is another
 */
export async function loadParameters(
  { run, manifest, scheme }: RunContext,
  { store, blobs, digest }: { store: Pick<RunStore, 'checkpoint'>; blobs: Pick<BlobStore, 'read'>; digest: Digest },
  expected: string,
): Promise<Float32Array<ArrayBuffer>> {
  const { checkpoint, steps } = await store.checkpoint();
  const parameters = new Float32Array(scheme.layout.total);
  const bytes = parameterBytes(parameters);
  let offset = 0;
  for (const [i, chunk] of checkpoint.chunks.entries()) {
    const part = await readVerified(
      blobs,
      chunk,
      digest,
      `chunk ${i} of the checkpoint of window ${checkpoint.window}`,
    );
    if (offset + part.length > bytes.length) throw new CorruptRunError('the checkpoint is larger than the model');
    bytes.set(part, offset);
    offset += part.length;
  }
  if (offset !== bytes.length) throw new CorruptRunError(`the checkpoint has ${offset} of ${bytes.length} bytes`);
  for (const step of steps) {
    const encoded = await readVerified(blobs, step, digest, `the outer step of window ${step.window}`);
    applyOuterStep(parameters, scheme.decodeStep(encoded, { run, window: step.window }));
  }
  const { root } = await stateRoot(parameters, manifest.checkpoint.chunkBytes, digest);
  if (root !== expected)
    throw new CorruptRunError(`the parameters have root ${root}, the open window trains from ${expected}`);
  return parameters;
}
