import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEliasFano, eliasFanoBytes, encodeEliasFano } from './elias-fano.ts';

/** n, and k ascending numbers below it. */
const sets = fc
  .integer({ min: 1, max: 4096 })
  .chain((n) =>
    fc
      .uniqueArray(fc.nat(n - 1), { minLength: 1, maxLength: Math.min(n, 100) })
      .map((list) => ({ n, numbers: Uint16Array.from(list).sort() })),
  );

describe('the Elias-Fano code', () => {
  it('of 64 of 4096 has 511 bits: 8 a number', () => {
    expect(eliasFanoBytes(4096, 64)).toBe(64);
    expect(eliasFanoBytes(4096, 32)).toBe(36);
  });

  it('has the low bits first, then a mark for each number', () => {
    // 2 low bits each: 01 00 11; marks at (x >> 2) + i: 0, 2, 4.
    expect([...encodeEliasFano(Uint16Array.of(1, 4, 11), 12)]).toEqual([0b01_11_00_01, 0b101]);
  });

  it('is undone by decoding, for every n and k', () => {
    fc.assert(
      fc.property(sets, ({ n, numbers }) => {
        const code = encodeEliasFano(numbers, n);
        expect(code).toHaveLength(eliasFanoBytes(n, numbers.length));
        expect(decodeEliasFano(code, n, numbers.length)).toEqual(numbers);
      }),
    );
    for (let n = 1; n <= 20; n++) {
      for (let k = 1; k <= n; k++) {
        const last = Uint16Array.from({ length: k }, (_, i) => n - k + i);
        expect(decodeEliasFano(encodeEliasFano(last, n), n, k)).toEqual(last);
      }
    }
  });

  it('has one form: what decodes to ascending numbers below n encodes to the same bytes', () => {
    let accepted = 0;
    const changed = fc.tuple(sets, fc.nat(), fc.nat(7), fc.nat(), fc.nat(7));
    fc.assert(
      fc.property(changed, ([{ n, numbers }, byte1, bit1, byte2, bit2]) => {
        const k = numbers.length;
        const code = encodeEliasFano(numbers, n);
        code[byte1 % code.length]! ^= 1 << bit1;
        code[byte2 % code.length]! ^= 1 << bit2;
        let decoded: Uint16Array | undefined;
        try {
          decoded = decodeEliasFano(code, n, k);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
        if (!decoded?.every((x, i) => x < n && (i === 0 || x > decoded[i - 1]!))) return;
        accepted++;
        expect(encodeEliasFano(decoded, n)).toEqual(code);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(10);
  });

  it('refuses lengths, marks and padding that are none', () => {
    const code = encodeEliasFano(Uint16Array.of(1, 4, 11), 12);
    expect(() => decodeEliasFano(code.subarray(1), 12, 3)).toThrow(RangeError);
    expect(() => decodeEliasFano(Uint8Array.of(code[0]!, 0b111), 12, 3)).toThrow('more than 3');
    expect(() => decodeEliasFano(Uint8Array.of(code[0]!, 0b001), 12, 3)).toThrow('2 numbers');
    expect(() => decodeEliasFano(Uint8Array.of(code[0]!, 0b1000_0101), 12, 3)).toThrow('padding');
  });
});
