/** A blob from the cache where it is held whole, else from the validator and then kept. */
import type { BlobRef } from '../core/protocol/primitives.ts';
import { sha256Hex, type ValidatorApi } from './api.ts';
import type { BlobCache, BlobKind } from './ports.ts';

/** @throws as `ValidatorApi.blob` and `BlobCache.put` do */
export async function cachedBlob(
  { api, cache }: { readonly api: ValidatorApi; readonly cache: BlobCache },
  kind: BlobKind,
  ref: BlobRef,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const held = await cache.get(ref.sha256);
  if (held) {
    if (held.length === ref.bytes && (await sha256Hex(held)) === ref.sha256) return held;
    await cache.delete(ref.sha256);
  }
  const bytes = await api.blob(ref, signal, onProgress);
  await cache.put(kind, ref.sha256, bytes);
  return bytes;
}
