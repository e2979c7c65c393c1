import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeBlobs } from '../testing/blob-suite.ts';
import { findSwift, startObjectStore, type ObjectStoreServer } from '../testing/servers.ts';
import { ObjectStoreError, openBucket, type BucketAddress } from './bucket.ts';
import { objectBlobs, objectUploads } from './object-blobs.ts';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const BYTES = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);

if (!findSwift()) console.log('skipped: no S3-compatible store is installed (Debian: swift-proxy and its servers)');

describe.skipIf(!findSwift())('a store that speaks S3', () => {
  let server: ObjectStoreServer;
  let address: BucketAddress;
  beforeAll(async () => {
    server = await startObjectStore();
    address = await server.bucket('run');
  }, 60_000);
  afterAll(() => server.stop());

  /** Each test in a folder of its own. */
  const fresh = (): BucketAddress => ({ ...address, url: `${address.url}/${randomUUID()}` });

  describeBlobs('a bucket', () => {
    const bucket = openBucket(fresh());
    return Promise.resolve({ blobs: objectBlobs(bucket), uploads: objectUploads(bucket) });
  });

  it('hands blobs out itself, to whoever has an address of ours', async () => {
    const blobs = objectBlobs(openBucket(fresh()));
    const { sha256 } = await blobs.put(BYTES);
    const url = await blobs.locate!(sha256);
    expect(await blobs.locate!(sha256)).toBe(url);
    const part = await fetch(url, { headers: { range: 'bytes=10-19', origin: 'https://elsewhere.example' } });
    expect([part.status, part.headers.get('access-control-allow-origin')]).toEqual([206, 'https://elsewhere.example']);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(BYTES.slice(10, 20));
    expect((await fetch(url.replace(/\?.*/, ''))).ok).toBe(false);
    expect((await fetch(url.replace(/Signature=../, 'Signature=00'))).status).toBe(403);
  });

  it('takes the length and hash that were signed, and no others', async () => {
    const uploads = objectUploads(openBucket(fresh()));
    const ticket = { id: 'ab', bytes: BYTES.length, sha256: hashOf(BYTES) };
    const { url, headers } = await uploads.direct!.permit(ticket, Date.now() + 60_000);
    const put = async (body: Uint8Array<ArrayBuffer>, sent: Record<string, string>): Promise<number> =>
      (await fetch(url, { method: 'PUT', body, headers: sent })).status;
    expect(await put(BYTES.slice(1), { ...headers })).toBe(403);
    expect(await put(BYTES, {})).toBe(403);
    expect(await put(BYTES, { 'x-amz-checksum-sha256': 'AAAA' })).toBe(403);
    expect(await uploads.direct!.collect('ab')).toBeUndefined();
    const before = Date.now();
    expect(await put(BYTES, { ...headers })).toBe(200);
    const arrived = (await uploads.direct!.collect('ab'))!;
    expect(arrived.bytes).toBe(BYTES.length);
    expect(arrived.arrivedAt + arrived.resolutionMs).toBeGreaterThan(before);
    expect(arrived.arrivedAt - arrived.resolutionMs).toBeLessThan(Date.now());
  });

  it('keeps what was read from being changed by the peer that put it', async () => {
    const uploads = objectUploads(openBucket(fresh()));
    const ticket = { id: 'ab', bytes: BYTES.length, sha256: hashOf(BYTES) };
    const { url, headers } = await uploads.direct!.permit(ticket, Date.now() + 60_000);
    const put = (body: Uint8Array<ArrayBuffer>) => fetch(url, { method: 'PUT', body, headers: { ...headers } });
    await put(BYTES);
    const { held } = (await uploads.direct!.collect('ab'))!;
    await put(BYTES.map((byte) => 250 - byte));
    expect(await held.bytes()).toEqual(BYTES);
    await held.seal(ticket.sha256);
    await held.discard();
    expect(await uploads.read(ticket.sha256)).toEqual(BYTES);
  });

  it('refuses bytes that were changed on their way, and keys that are not its own', async () => {
    const bucket = openBucket(fresh());
    await expect(bucket.put('x', BYTES, '00'.repeat(32))).rejects.toThrow(ObjectStoreError);
    const stranger = openBucket({ ...fresh(), secretAccessKey: 'guessed' });
    await expect(stranger.put('x', BYTES, hashOf(BYTES))).rejects.toThrow(/403/);
  });

  it('lists more than one answer holds', async () => {
    const bucket = openBucket(fresh());
    const names = Array.from({ length: 12 }, (_, i) => `many/${i + 10}`);
    for (const name of names) await bucket.put(name, BYTES.slice(0, 1), hashOf(BYTES.slice(0, 1)));
    const listed: string[] = [];
    for await (const { key } of bucket.list('many/', 5)) listed.push(key);
    expect(listed).toEqual(names);
  });
});

describe('a store that fails', () => {
  it('is asked again, and then said to fail, without its address’s secrets', async () => {
    const answers = [503, 503, 200];
    const server = createServer((_, response) => {
      response.writeHead(answers.shift() ?? 500, { 'content-length': 0 }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
    const bucket = openBucket({ url, region: 'r', accessKeyId: 'key', secretAccessKey: 'very secret' });
    expect(await bucket.head('x')).toMatchObject({ bytes: 0 });
    const failed = await bucket.head('x').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ObjectStoreError);
    expect(String(failed)).toMatch(/HEAD \/bucket\/x was answered 500/);
    server.close();
    const gone = await bucket.head('x').catch((error: unknown) => error);
    expect(String(gone)).toMatch(/cannot be reached/);
    expect(String(failed) + String(gone)).not.toContain('secret');
  }, 20_000);

  it('sends nobody anywhere, and does not go on for ever', async () => {
    let inside = 0;
    const hidden = createServer((_, response) => {
      inside++;
      response.end('for this machine only');
    });
    await new Promise<void>((resolve) => hidden.listen(0, '127.0.0.1', resolve));
    const target = `http://127.0.0.1:${(hidden.address() as AddressInfo).port}/`;
    const server = createServer((request, response) => {
      if (request.url!.includes('list-type')) {
        response.writeHead(200);
        const more = setInterval(() => response.write('<Key>a</Key>'.repeat(20_000)), 1);
        response.on('close', () => clearInterval(more));
      } else response.writeHead(307, { location: target }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
    const bucket = openBucket({ url, region: 'r', accessKeyId: 'key', secretAccessKey: 'very secret' });
    try {
      for (const ask of [
        () => bucket.head('x'),
        () => bucket.get('x'),
        () => bucket.put('x', BYTES, hashOf(BYTES)),
        () => bucket.copy('x', 'y'),
      ]) {
        await expect(ask()).rejects.toThrow(/was answered 307/);
      }
      await expect(bucket.list('x').next()).rejects.toThrow(/more than \d+ bytes/);
      expect(inside).toBe(0);
    } finally {
      for (const each of [server, hidden]) {
        each.closeAllConnections();
        each.close();
      }
    }
  });

  it('has to be named with a bucket', () => {
    expect(() => openBucket({ url: 'http://host', region: 'r', accessKeyId: 'k', secretAccessKey: 's' })).toThrow(
      RangeError,
    );
  });
});
