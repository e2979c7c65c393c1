/** Trust in a run begins here: the manifest's hash is the run's id, and its signature is the validator's. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalBytes } from './canonical.ts';
import { verifyHex } from './signing.ts';
import type { RunManifest, SignedManifest } from '../protocol/manifest.ts';

/** The manifest is not what it says it is: never worth trying again. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** @throws ManifestError when id or signature do not match the manifest */
export function verifyManifest({ run, manifest, signature }: SignedManifest): RunManifest {
  const bytes = canonicalBytes(manifest);
  if (bytesToHex(sha256(bytes).subarray(0, 16)) !== run)
    throw new ManifestError('the run id is not the manifest’s hash');
  if (!verifyHex('manifest', bytes, signature, manifest.validator.publicKey)) {
    throw new ManifestError('the manifest is not signed by its validator');
  }
  return manifest;
}
