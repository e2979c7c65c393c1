import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AlteredFileError, checkedBytes } from './checked-bytes.ts';

const BYTES = new TextEncoder().encode('what the build made');
const INTEGRITY = `sha256-${createHash('sha256').update(BYTES).digest('base64')}`;

function serve(body: Uint8Array<ArrayBuffer> | null, init?: ResponseInit): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, init)));
}

afterEach(() => vi.unstubAllGlobals());

describe('bytes that are about to be executed', () => {
  it('are what the build made', async () => {
    serve(BYTES);
    expect(new Uint8Array(await checkedBytes('https://site.example/a.js', INTEGRITY))).toEqual(BYTES);
  });

  it('are refused with one bit changed, missing or added', async () => {
    const changed = BYTES.slice();
    changed[3]! ^= 1;
    for (const bytes of [changed, BYTES.slice(1), new Uint8Array([...BYTES, 0])]) {
      serve(bytes);
      await expect(checkedBytes('https://site.example/assets/a.js', INTEGRITY)).rejects.toThrow(
        /^a\.js is not the file/,
      );
    }
  });

  it('are not read where they would be far too many', async () => {
    serve(BYTES, { headers: { 'content-length': String(2 ** 40) } });
    await expect(checkedBytes('https://site.example/a.js', INTEGRITY)).rejects.toBeInstanceOf(AlteredFileError);
  });

  it('are missed by their status', async () => {
    serve(null, { status: 404 });
    await expect(checkedBytes('https://site.example/a.js', INTEGRITY)).rejects.toThrow('404');
  });
});
