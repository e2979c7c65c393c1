import { describe, expect, it } from 'vitest';
import { windowSummary } from '../../core/protocol/testing/window-summary.ts';
import { AuditSourceError, createAuditSource } from './source.ts';

const HASH = 'ab'.repeat(32);

/** A validator that answers every request alike. */
const answering = (body: BodyInit | null, status = 200): ReturnType<typeof createAuditSource> =>
  createAuditSource('http://validator.invalid/', () => Promise.resolve(new Response(body, { status })));

describe('public data', () => {
  it('that is missing, refused or no JSON is an error that says where', async () => {
    await expect(answering('', 404).run()).rejects.toThrow(/no validator of this protocol/);
    await expect(answering('', 404).book(3)).rejects.toThrow(/no book of window 3/);
    await expect(answering('', 500).book(3)).rejects.toThrow('http://validator.invalid/v1/windows/3/book answers 500');
    await expect(answering('<html>').run()).rejects.toThrow(/no JSON/);
    await expect(answering('{"run": 1}').run()).rejects.toThrow(/another form/);
    await expect(answering('', 404).blob({ sha256: HASH })).rejects.toThrow(`blob ${HASH} is missing`);
    const gone = createAuditSource('http://validator.invalid', () => Promise.reject(new TypeError('fetch failed')));
    await expect(gone.run()).rejects.toThrow(/cannot be reached/);
    await expect(gone.run()).rejects.toBeInstanceOf(AuditSourceError);
  });

  it('with another hash than asked for is refused', async () => {
    await expect(answering('something else').blob({ sha256: HASH })).rejects.toThrow(/another hash/);
  });

  it('of a hotkey that is not known has no receipts', async () => {
    await expect(answering('', 404).receipts('5unknown')).resolves.toEqual([]);
  });

  it('comes in pages, to the end', async () => {
    const asked: string[] = [];
    const row = (window: number) => windowSummary(window, { stateRoot: HASH });
    const source = createAuditSource('http://validator.invalid', (url) => {
      const address = new URL(url as string);
      asked.push(address.href);
      const from = Number(address.searchParams.get('from'));
      const rows = Array.from({ length: Math.max(0, Math.min(500, 601 - from)) }, (_, i) => row(from + i));
      return Promise.resolve(Response.json(rows));
    });
    expect((await source.windows(1, Infinity)).map(({ window }) => window)).toEqual(
      Array.from({ length: 600 }, (_, i) => i + 1),
    );
    expect(asked).toHaveLength(3);
  });
});
