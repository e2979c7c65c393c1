import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packedBytes, packIndices, unpackIndices } from './pack.ts';

const hex = (...indices: number[]): string => Buffer.from(packIndices(Uint16Array.from(indices))).toString('hex');

describe('packIndices', () => {
  it('has the golden vectors (reference: templar compress.py)', () => {
    expect(hex(0x123, 0xabc)).toBe('23c1ab');
    expect(hex(0, 4095, 1, 2048)).toBe('00f0ff010080');
  });

  it('pads an odd number with zero', () => {
    expect(hex(0xabc)).toBe('bc0a00');
    expect(packedBytes(3)).toBe(6);
  });

  it('refuses 13 bits', () => {
    expect(() => hex(4096, 0)).toThrow(RangeError);
    expect(() => hex(0, 4096)).toThrow(RangeError);
  });
});

describe('unpackIndices', () => {
  it('undoes packing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4095 })), (list) => {
        const indices = Uint16Array.from(list);
        expect(unpackIndices(packIndices(indices), indices.length)).toEqual(indices);
      }),
    );
  });

  it('accepts one byte form only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(8), (bytes, count) => {
        let indices: Uint16Array | undefined;
        try {
          indices = unpackIndices(bytes, count);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        if (indices) expect(Buffer.from(packIndices(indices)).equals(bytes)).toBe(true);
      }),
    );
    expect(() => unpackIndices(Uint8Array.of(1, 16, 0), 1)).toThrow(RangeError);
    expect(() => unpackIndices(new Uint8Array(4), 2)).toThrow(RangeError);
  });
});
