/** Small unsigned numbers one after another in a stream of bits: bit i is bit i mod 8 (LSB first) of byte i / 8. */

/**
 * ORs a number into a stream that is zero there.
 *
 * @param at first bit
 * @param value of at most 16 bits
 */
export function writeBits(bytes: Uint8Array, at: number, value: number): void {
  for (let rest = value << (at & 7), i = at >>> 3; rest !== 0; rest >>>= 8, i++) bytes[i]! |= rest & 255;
}

/** @param at first bit @param count bits, at most 16; beyond the end there are zeros */
export function readBits(bytes: Uint8Array, at: number, count: number): number {
  const i = at >>> 3;
  const word = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16);
  return (word >>> (at & 7)) & ((1 << count) - 1);
}

/** Bytes of so many codes. */
export function codeBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/**
 * Codes one after another, zero-padded to whole bytes.
 *
 * @param codes each below 2 ^ bits
 * @param bits of a code: 1, 2, 4 or 8, so that no code straddles bytes
 */
export function packCodes(codes: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(codeBytes(codes.length, bits));
  for (let i = 0; i < codes.length; i++) packed[(i * bits) >>> 3]! |= codes[i]! << ((i * bits) & 7);
  return packed;
}

/**
 * The inverse; accepts exactly what `packCodes` writes.
 *
 * @throws RangeError when the length differs or the padding is not zero
 */
export function unpackCodes(packed: Uint8Array, count: number, bits: number): Uint8Array<ArrayBuffer> {
  if (packed.length !== codeBytes(count, bits)) {
    throw new RangeError(`${count} codes take ${codeBytes(count, bits)} bytes, not ${packed.length}`);
  }
  const mask = (1 << bits) - 1;
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = (packed[(i * bits) >>> 3]! >>> ((i * bits) & 7)) & mask;
  const used = (count * bits) & 7;
  if (used !== 0 && packed[packed.length - 1]! >>> used !== 0) throw new RangeError('the padding is not zero');
  return codes;
}
