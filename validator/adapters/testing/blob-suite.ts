/** What every store of blobs and uploads must do, wherever it keeps them. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore, SealedUploads } from '../../rounds/ports.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const BYTES = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
const SHA256 = hashOf(BYTES);
const MISSING = '00'.repeat(32);

/** Element by element, a comparison of so many takes seconds. */
function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual && hashOf(actual)).toBe(hashOf(expected));
}

interface Stores {
  readonly blobs: BlobStore;
  readonly uploads: SealedUploads;
}

/** Brings bytes in the way that peers do. */
async function sealed(uploads: SealedUploads, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const sha256 = hashOf(bytes);
  if (uploads.begin) {
    const staged = await uploads.begin();
    await staged.write(bytes);
    await staged.seal(sha256);
    await staged.discard();
    return sha256;
  }
  const ticket = { id: hashOf(new TextEncoder().encode(sha256)), bytes: bytes.length, sha256 };
  const { url, headers } = await uploads.direct!.permit(ticket, Date.now() + 60_000);
  const response = await fetch(url, { method: 'PUT', body: bytes, headers });
  expect(response.status, await response.text()).toBe(200);
  const { held } = (await uploads.direct!.collect(ticket.id))!;
  expectBytes(await held.bytes(), bytes);
  await held.seal(sha256);
  await held.discard();
  await uploads.direct!.forget(ticket.id);
  return sha256;
}

/** @param open an empty store */
export function describeBlobs(name: string, open: () => Promise<Stores>): void {
  describe(`blobs in ${name}`, () => {
    let blobs: BlobStore;
    let uploads: SealedUploads;
    beforeEach(async () => {
      ({ blobs, uploads } = await open());
    });

    it('are kept under their hash, as often as they are put', async () => {
      expect(await blobs.put(BYTES)).toEqual({ sha256: SHA256, bytes: BYTES.length });
      expect(await blobs.put(BYTES)).toEqual({ sha256: SHA256, bytes: BYTES.length });
      expect(await blobs.size(SHA256)).toBe(BYTES.length);
      expectBytes(await blobs.read(SHA256), BYTES);
    });

    it('may be empty', async () => {
      const { sha256 } = await blobs.put(new Uint8Array(0));
      expect(await blobs.size(sha256)).toBe(0);
      expectBytes(await blobs.read(sha256), new Uint8Array(0));
    });

    it('are streamed in ranges', async () => {
      await blobs.put(BYTES);
      for (const [start, end] of [
        [0, 600_000],
        [10, 500_010],
        [599_999, 600_000],
      ] as const) {
        // prettier-ignore
        const stream = await blobs.stream(SHA256, start, end);
        expectBytes(new Uint8Array(await new Response(stream).arrayBuffer()), BYTES.slice(start, end));
      }
    });

    it('are missed where they are not, and refused under names that are no hashes', async () => {
      expect(await blobs.size(MISSING)).toBeUndefined();
      expect(await blobs.read(MISSING)).toBeUndefined();
      expect(await blobs.stream(MISSING, 0, 1)).toBeUndefined();
      for (const bad of ['../run.sqlite', SHA256.toUpperCase(), '', `${SHA256}/..`]) {
        await expect(blobs.read(bad)).rejects.toThrow(RangeError);
      }
    });

    it('come from uploads, which are held back until they are published', async () => {
      const sha256 = await sealed(uploads, BYTES);
      expectBytes(await uploads.read(sha256), BYTES);
      expect(await blobs.size(sha256)).toBeUndefined();
      await uploads.publish(sha256);
      await uploads.publish(sha256);
      await uploads.release(sha256);
      await uploads.release(sha256);
      expect(await uploads.read(sha256)).toBeUndefined();
      expectBytes(await blobs.read(sha256), BYTES);
      await uploads.publish(sha256);
    });

    it('never come from an upload that is not there', async () => {
      expect(await uploads.read(MISSING)).toBeUndefined();
      await expect(uploads.publish(MISSING)).rejects.toThrow();
      expect(await blobs.size(MISSING)).toBeUndefined();
    });

    it('lose no upload that is still wanted to the cleaning', async () => {
      const [kept] = [await sealed(uploads, BYTES), await sealed(uploads, BYTES.slice(1))];
      await uploads.clean(new Set([kept]));
      expectBytes(await uploads.read(kept), BYTES);
    });
  });
}
