import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeBytes, packCodes, readBits, unpackCodes, writeBits } from './bit-stream.ts';

describe('writeBits and readBits', () => {
  it('put numbers of any width one after another, LSB first', () => {
    const bytes = new Uint8Array(2);
    writeBits(bytes, 0, 0b101);
    writeBits(bytes, 3, 0b1111_0001);
    expect([...bytes]).toEqual([0b1000_1101, 0b111]);
    expect(readBits(bytes, 3, 8)).toBe(0b1111_0001);
    const number = fc.integer({ min: 1, max: 16 }).chain((bits) => fc.tuple(fc.constant(bits), fc.nat(2 ** bits - 1)));
    fc.assert(
      fc.property(fc.array(number, { maxLength: 40 }), (numbers) => {
        const stream = new Uint8Array(Math.ceil(numbers.reduce((sum, [bits]) => sum + bits, 0) / 8));
        let at = 0;
        for (const [bits, value] of numbers) {
          writeBits(stream, at, value);
          at += bits;
        }
        at = 0;
        for (const [bits, value] of numbers) {
          expect(readBits(stream, at, bits)).toBe(value);
          at += bits;
        }
      }),
    );
  });
});

describe('packCodes', () => {
  it('lays codes of 2, 4 and 8 bits into bytes', () => {
    expect([...packCodes(Uint8Array.of(1, 2, 3, 0, 3), 2)]).toEqual([0b00_11_10_01, 0b11]);
    expect([...packCodes(Uint8Array.of(0xa, 0x5, 0xf), 4)]).toEqual([0x5a, 0x0f]);
    expect([...packCodes(Uint8Array.of(7, 255), 8)]).toEqual([7, 255]);
  });

  it('is undone by unpackCodes, which accepts one form only', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 4, 8), fc.uint8Array({ maxLength: 40 }), fc.nat(7), (bits, packed, short) => {
        const count = Math.max(0, Math.floor((packed.length * 8) / bits) - (short % (8 / bits)));
        let codes: Uint8Array | undefined;
        try {
          codes = unpackCodes(packed, count, bits);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        if (codes) expect(Buffer.from(packCodes(codes, bits)).equals(packed)).toBe(true);
      }),
    );
    expect([...unpackCodes(Uint8Array.of(0b00_11_10_01), 3, 2)]).toEqual([1, 2, 3]);
    expect(() => unpackCodes(Uint8Array.of(0b01_11_10_01), 3, 2)).toThrow(RangeError);
    expect(() => unpackCodes(new Uint8Array(2), 3, 2)).toThrow(RangeError);
    expect(codeBytes(5, 2)).toBe(2);
  });
});
