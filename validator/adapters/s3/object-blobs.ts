/**
 * Blobs and uploads in an S3-compatible store. `blobs/` is public, `incoming/` is where peers PUT, and what is read there is
 * first copied to `held/`, out of their reach; `sealed/` has what was accepted and is not published yet.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { BlobStore, SealedUploads } from '../../rounds/ports.ts';
import type { Bucket } from './bucket.ts';

const SHA256 = /^[0-9a-f]{64}$/;
/** How long an address is good for, and what is left of that when it is given to the last one. */
const LOCATION_SECONDS = 3_600;
const LOCATION_REUSE_MS = 1_800_000;
/** Sizes and addresses remembered: a run has some ten thousand pages. */
const REMEMBERED = 65_536;
/** Times of objects are full seconds. */
const RESOLUTION_MS = 1_000;
/** Other processes may be at work on what is younger. */
const ORPHAN_MS = 3_600_000;
const MAX_PERMIT_SECONDS = 7 * 86_400;

function named(folder: string, sha256: string): string {
  if (!SHA256.test(sha256)) throw new RangeError('not a SHA-256 in lower-case hex');
  return `${folder}/${sha256}`;
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const wholeOf = async (response: Response | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> =>
  response && new Uint8Array(await response.arrayBuffer());

function remember<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!);
  return value;
}

export function objectBlobs(bucket: Bucket): BlobStore {
  const sizes = new Map<string, number>();
  const locations = new Map<string, { readonly url: Promise<string>; readonly until: number }>();

  async function size(sha256: string): Promise<number | undefined> {
    const known = sizes.get(sha256);
    if (known !== undefined) return known;
    const head = await bucket.head(named('blobs', sha256));
    return head && remember(sizes, sha256, head.bytes);
  }

  return {
    size,
    read: async (sha256) => wholeOf(await bucket.get(named('blobs', sha256))),
    async stream(sha256, start, end) {
      if (start >= end) return (await size(sha256)) === undefined ? undefined : new Blob([]).stream();
      return (await bucket.get(named('blobs', sha256), { start, end }))?.body ?? undefined;
    },
    async put(bytes) {
      const sha256 = hashOf(bytes);
      if ((await size(sha256)) !== bytes.length) {
        await bucket.put(named('blobs', sha256), new Uint8Array(bytes), sha256);
        remember(sizes, sha256, bytes.length);
      }
      return { sha256, bytes: bytes.length };
    },
    locate(sha256) {
      const known = locations.get(sha256);
      if (known && known.until > Date.now()) return known.url;
      const url = bucket.presignGet(named('blobs', sha256), LOCATION_SECONDS);
      return remember(locations, sha256, { url, until: Date.now() + LOCATION_REUSE_MS }).url;
    },
  };
}

export function objectUploads(bucket: Bucket): SealedUploads {
  const incoming = (id: string): string => `incoming/${id}`;
  return {
    direct: {
      permit: ({ id, bytes, sha256 }, expiresAt) => {
        const seconds = Math.ceil((expiresAt - Date.now()) / 1_000);
        return bucket.presignPut(incoming(id), bytes, sha256, Math.max(1, Math.min(MAX_PERMIT_SECONDS, seconds)));
      },
      async collect(id) {
        const before = await bucket.head(incoming(id));
        if (!before) return undefined;
        const key = `held/${randomUUID()}`;
        const copied = await bucket.copy(incoming(id), key);
        const after = await bucket.head(incoming(id));
        if (!copied || after?.etag !== before.etag || after.modifiedAt !== before.modifiedAt) {
          // Overwritten in between: its time would not be that of the bytes.
          await bucket.remove(key);
          return undefined;
        }
        let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
        return {
          bytes: before.bytes,
          arrivedAt: before.modifiedAt,
          resolutionMs: RESOLUTION_MS,
          held: {
            async bytes() {
              bytes ??= bucket.get(key).then(async (response) => (await wholeOf(response)) ?? new Uint8Array(0));
              // Whoever gets them may give them away.
              return (await bytes).slice();
            },
            async seal(sha256) {
              if (!(await bucket.copy(key, named('sealed', sha256)))) throw new Error(`${key} is gone from the store`);
            },
            discard: () => bucket.remove(key),
          },
        };
      },
      forget: (id) => bucket.remove(incoming(id)),
    },
    read: async (sha256) => wholeOf(await bucket.get(named('sealed', sha256))),
    async publish(sha256) {
      if (await bucket.head(named('blobs', sha256))) return;
      const copied = await bucket.copy(named('sealed', sha256), named('blobs', sha256));
      if (!copied) throw new Error(`the upload ${sha256} is gone from the store`);
    },
    release: (sha256) => bucket.remove(named('sealed', sha256)),
    async clean(keep) {
      for (const folder of ['incoming/', 'held/', 'sealed/']) {
        for await (const { key, modifiedAt } of bucket.list(folder)) {
          const isOrphan = Date.now() - modifiedAt > ORPHAN_MS && !keep.has(key.slice(folder.length));
          if (isOrphan) await bucket.remove(key);
        }
      }
    },
  };
}
