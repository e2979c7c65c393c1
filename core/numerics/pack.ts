/**
 * 12-bit indices, two in three bytes: i1 & 255, i1 >> 8 | (i2 & 15) << 4, i2 >> 4 (reference: templar compress.py). An
 * odd number of them is padded with a zero index.
 */

/** Largest index. */
const MAX_PACKED_INDEX = 4095;

/** Bytes of `count` packed indices. */
export function packedBytes(count: number): number {
  return Math.ceil(count / 2) * 3;
}

/** @throws RangeError for an index above 4095 */
export function packIndices(indices: Uint16Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(packedBytes(indices.length));
  for (let i = 0, at = 0; i < indices.length; i += 2, at += 3) {
    const first = indices[i]!;
    const second = i + 1 < indices.length ? indices[i + 1]! : 0;
    if (first > MAX_PACKED_INDEX || second > MAX_PACKED_INDEX) throw new RangeError('an index has at most 12 bits');
    packed[at] = first & 255;
    packed[at + 1] = (first >> 8) | ((second & 15) << 4);
    packed[at + 2] = second >> 4;
  }
  return packed;
}

/**
 * @param packed exactly `packedBytes(count)` bytes
 * @throws RangeError when the length differs or the padding is not zero
 */
export function unpackIndices(packed: Uint8Array, count: number): Uint16Array<ArrayBuffer> {
  if (packed.length !== packedBytes(count)) {
    throw new RangeError(`${count} indices take ${packedBytes(count)} bytes, not ${packed.length}`);
  }
  const indices = new Uint16Array(count);
  for (let i = 0, at = 0; i < count; i += 2, at += 3) {
    const middle = packed[at + 1]!;
    indices[i] = packed[at]! | ((middle & 15) << 8);
    const second = (middle >> 4) | (packed[at + 2]! << 4);
    if (i + 1 < count) indices[i + 1] = second;
    else if (second !== 0) throw new RangeError('the padding of packed indices is not zero');
  }
  return indices;
}
