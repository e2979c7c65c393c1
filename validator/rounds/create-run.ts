/** The beginning of a run: its signed manifest, θ_1 as a checkpoint, and its first window. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { signHex, type Signer } from '../../core/identity/signing.ts';
import { stateRoot } from '../../core/lockstep/state-root.ts';
import { RunManifestSchema, type RunManifest, type SignedManifest } from '../../core/protocol/manifest.ts';
import type { RoundsPorts } from './context.ts';
import { writeCheckpoint } from './parameters.ts';
import { beginWindow } from './windows.ts';

const RUN_ID_BYTES = 16;

/** Signs a manifest; the run's id is the hash of its canonical bytes. */
export async function signManifest(manifest: RunManifest, signer: Signer): Promise<SignedManifest> {
  const bytes = canonicalBytes(manifest);
  return {
    run: bytesToHex(sha256(bytes).subarray(0, RUN_ID_BYTES)),
    manifest,
    signature: await signHex(signer, 'manifest', bytes),
  };
}

/**
 * Creates the run in an empty store. Pages, index and tokenizer lie in the blobs already.
 *
 * @param parameters θ_1
 * @throws RangeError when the parameters are not those of the manifest's root
 * @throws ZodError when the manifest does not satisfy its schema
 */
export async function createRun(
  ports: Pick<RoundsPorts, 'store' | 'blobs' | 'clock' | 'signer' | 'randomBytes' | 'digest'>,
  manifest: RunManifest,
  parameters: Float32Array<ArrayBuffer>,
): Promise<SignedManifest> {
  const signed = await signManifest(RunManifestSchema.parse(manifest), ports.signer);
  const { chunkBytes, initialRoot } = manifest.checkpoint;
  const { root } = await stateRoot(parameters, chunkBytes, ports.digest);
  if (root !== initialRoot) throw new RangeError(`the parameters have root ${root}, the manifest says ${initialRoot}`);
  const checkpoint = await writeCheckpoint(ports.blobs, parameters, { window: 1, root, chunkBytes });
  const first = beginWindow({
    run: signed.run,
    window: 1,
    opensAt: ports.clock.now(),
    previousReveal: null,
    stateRoot: root,
    length: manifest.window,
    secret: ports.randomBytes(),
  });
  await ports.store.createRun(signed, checkpoint, first);
  return signed;
}
