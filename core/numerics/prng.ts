/**
 * The protocol's randomness: xoshiro128** (Blackman and Vigna, version 1.1) seeded by SHA-256. Anyone can recompute a
 * draw from its seed, so seeds come from `core/gauntlet/beacon.ts` where a draw must be unpredictable.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';

export interface Random {
  /** 32 uniform bits, 0 … 2^32 - 1. */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits: two draws, the first for the upper 27 bits. */
  uniform(): number;
  /** Uniform integer 0 … n - 1 by rejection. @throws RangeError unless n is an integer in 1 … 2^32 */
  below(n: number): number;
  /**
   * `count` distinct integers below n, in the order drawn (partial Fisher-Yates, so O(count) whatever n is).
   *
   * @throws RangeError when `count` is not an integer in 0 … n
   */
  sample(n: number, count: number): number[];
  /** A shuffled copy (Fisher-Yates by `sample`). */
  shuffle<T>(items: readonly T[]): T[];
}

const TWO_32 = 2 ** 32;

/** The bare generator: each call gives the next 32 bits. @param state 4 words, not all zero */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state.map((word) => word | 0) as [number, number, number, number];
  return () => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/**
 * A stream of randomness. Its state is the first 16 bytes, as little-endian words, of SHA-256(seed ‖ UTF-8 of label).
 * The test beside this file has vectors for other implementations.
 *
 * @param seed any length; use `seedFrom` to make one of several values
 * @param label tells streams of one seed apart
 */
export function createRandom(seed: Uint8Array, label = ''): Random {
  const digest = sha256(concatBytes(seed, new TextEncoder().encode(label)));
  const view = new DataView(digest.buffer, digest.byteOffset);
  const uint32 = xoshiro128([
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  ]);

  const below = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32) throw new RangeError(`cannot draw an integer below ${n}`);
    const limit = TWO_32 - (TWO_32 % n);
    let value = uint32();
    while (value >= limit) value = uint32();
    return value % n;
  };

  const sample = (n: number, count: number): number[] => {
    if (!Number.isInteger(count) || count < 0 || count > n) throw new RangeError(`cannot draw ${count} of ${n}`);
    const moved = new Map<number, number>();
    const drawn: number[] = [];
    for (let i = 0; i < count; i++) {
      const j = i + below(n - i);
      drawn.push(moved.get(j) ?? j);
      moved.set(j, moved.get(i) ?? i);
    }
    return drawn;
  };

  return {
    uint32,
    uniform: () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53,
    below,
    sample,
    shuffle: (items) => sample(items.length, items.length).map((i) => items[i]!),
  };
}

/**
 * SHA-256 over the parts, each with its kind and length in front, so that no two lists of parts collide.
 *
 * @param parts strings (UTF-8), bytes, or non-negative safe integers
 * @returns 32 bytes
 * @throws RangeError for a number that is not a non-negative safe integer
 */
export function seedFrom(...parts: readonly (string | number | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return sha256(concatBytes(...parts.map(encodePart)));
}

function encodePart(part: string | number | Uint8Array): Uint8Array {
  if (typeof part === 'string') return tagged(0, new TextEncoder().encode(part));
  if (typeof part !== 'number') return tagged(1, part);
  if (!Number.isSafeInteger(part) || part < 0) throw new RangeError(`${part} is not a non-negative integer`);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, part % TWO_32, true);
  view.setUint32(4, Math.floor(part / TWO_32), true);
  return tagged(2, bytes);
}

/** kind u8, length u32 LE, bytes */
function tagged(kind: number, bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = kind;
  new DataView(head.buffer).setUint32(1, bytes.length, true);
  return concatBytes(head, bytes);
}
