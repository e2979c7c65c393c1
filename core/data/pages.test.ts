import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IGNORED_TARGET } from './batch.ts';
import {
  DataError,
  decodePage,
  decodePageIndex,
  encodePage,
  encodePageIndex,
  pageBatch,
  type PageFormat,
} from './pages.ts';

const format = fc.record({
  sequences: fc.integer({ min: 1, max: 4 }),
  length: fc.integer({ min: 1, max: 8 }),
  tokenBytes: fc.constantFrom(2, 4),
  vocabSize: fc.integer({ min: 1, max: 65_536 }),
}) satisfies fc.Arbitrary<PageFormat>;

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('page', () => {
  it('reads back as it was written', () => {
    const page = format.chain((f) => {
      const tokens = f.sequences * f.length;
      return fc.tuple(fc.constant(f), fc.array(fc.nat(f.vocabSize - 1), { minLength: tokens, maxLength: tokens }));
    });
    fc.assert(
      fc.property(page, ([f, ids]) => {
        const bytes = encodePage(ids, f);
        expect(bytes.length).toBe(ids.length * f.tokenBytes);
        expect([...decodePage(bytes, f)]).toEqual(ids);
      }),
    );
  });

  it('fails only with its own error on any bytes', () => {
    fc.assert(
      fc.property(format, fc.uint8Array({ maxLength: 128 }), (f, bytes) => {
        try {
          for (const id of decodePage(bytes, f)) expect(id).toBeLessThan(f.vocabSize);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });

  const small: PageFormat = { sequences: 2, length: 3, tokenBytes: 2, vocabSize: 300 };

  it('is little-endian', () => {
    expect([...encodePage([1, 2, 3, 4, 5, 299], small)]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 43, 1]);
  });

  it('is a batch in which a sequence predicts nothing of the next', () => {
    const batch = pageBatch(encodePage([1, 2, 3, 4, 5, 6], small), small);
    expect([...batch.targets]).toEqual([2, 3, IGNORED_TARGET, 5, 6, IGNORED_TARGET]);
  });

  it.each([[[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5, 300]], [[1, 2, 3, 4, 5, -1]], [[1, 2, 3, 4, 5, 1.5]]])(
    'is not written from %s',
    (ids) => {
      expect(() => encodePage(ids, small)).toThrow(DataError);
    },
  );

  it('reads 4-byte ids above 2^31 as out of range', () => {
    const bytes = new Uint8Array(4).fill(0xff);
    expect(() => decodePage(bytes, { sequences: 1, length: 1, tokenBytes: 4, vocabSize: 10 })).toThrow(/4294967295/);
  });
});

describe('page index', () => {
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(fc.array(hash), (hashes) => {
        expect(decodePageIndex(encodePageIndex(hashes), hashes.length)).toEqual(hashes);
      }),
    );
  });

  it('fails only with its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), fc.nat(4), (bytes, pages) => {
        if (bytes.length === pages * 32) expect(decodePageIndex(bytes, pages)).toHaveLength(pages);
        else expect(() => decodePageIndex(bytes, pages)).toThrow(DataError);
      }),
    );
  });

  it('is not written from anything but hashes', () => {
    expect(() => encodePageIndex(['AB'])).toThrow(DataError);
  });
});
