/** Blobs and sealed uploads in memory, for a validator that lives as long as its tab. */
import { sha256Hex } from '../../client/api.ts';
import type { BlobStore, SealedUploads, StagedUpload } from '../../validator/rounds/ports.ts';

/** Published uploads are kept up to so many bytes, newest first: a tab may stay open for days. */
const MAX_PUBLISHED_BYTES = 64 * 2 ** 20;

type Bytes = Uint8Array<ArrayBuffer>;

function joined(chunks: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** What is read is the caller's own copy, as from a disk: a judge engine takes it for itself. */
export function createMemoryBlobs(maxPublishedBytes = MAX_PUBLISHED_BYTES): {
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
} {
  const held = new Map<string, Bytes>();
  const sealed = new Map<string, Bytes>();
  /** Oldest first. */
  const published = new Map<string, number>();
  let publishedBytes = 0;

  const blobs: BlobStore = {
    size: (sha256) => Promise.resolve(held.get(sha256)?.length),
    read: (sha256) => Promise.resolve(held.get(sha256)?.slice()),
    stream(sha256, start, end) {
      const bytes = held.get(sha256);
      return Promise.resolve(bytes && new Response(bytes.slice(start, end)).body!);
    },
    async put(bytes) {
      const copy = new Uint8Array(bytes);
      const sha256 = await sha256Hex(copy);
      held.set(sha256, copy);
      return { sha256, bytes: copy.length };
    },
  };

  function begin(): StagedUpload {
    const chunks: Uint8Array[] = [];
    return {
      write(chunk) {
        chunks.push(new Uint8Array(chunk));
        return Promise.resolve();
      },
      bytes: () => Promise.resolve(joined(chunks)),
      seal(sha256) {
        sealed.set(sha256, joined(chunks));
        return Promise.resolve();
      },
      discard() {
        chunks.length = 0;
        return Promise.resolve();
      },
    };
  }

  const uploads: SealedUploads = {
    begin: () => Promise.resolve(begin()),
    read: (sha256) => Promise.resolve(sealed.get(sha256)?.slice()),
    publish(sha256) {
      const bytes = sealed.get(sha256);
      if (!bytes || held.has(sha256)) return Promise.resolve();
      held.set(sha256, bytes);
      published.set(sha256, bytes.length);
      publishedBytes += bytes.length;
      for (const [oldest, size] of published) {
        if (publishedBytes <= maxPublishedBytes) break;
        published.delete(oldest);
        held.delete(oldest);
        publishedBytes -= size;
      }
      return Promise.resolve();
    },
    release(sha256) {
      sealed.delete(sha256);
      return Promise.resolve();
    },
    clean(keep) {
      for (const sha256 of sealed.keys()) if (!keep.has(sha256)) sealed.delete(sha256);
      return Promise.resolve();
    },
  };
  return { blobs, uploads };
}
