/**
 * The Elias-Fano code of k ascending numbers below n (P. Elias, J. ACM 21, 1974): the low l bits of each as they are,
 * then the high ones as the places of set bits, bit (x_i >> l) + i for number i. 64 of 4096 take 511 bits, so 8 bits a
 * number, where a plain number takes 12 and the entropy is 7.36 bits; and its length depends on n and k alone.
 */
import { readBits, writeBits } from './bit-stream.ts';

/** Bits that are looked through for marks at once. */
const STRIDE = 16;

interface CodeLayout {
  /** l: the largest with k · 2^l ≤ n. */
  readonly lowBits: number;
  /** Of the part that has a set bit for each number. */
  readonly highBits: number;
}

function codeLayout(n: number, k: number): CodeLayout {
  let lowBits = 0;
  while (k * 2 ** (lowBits + 1) <= n) lowBits++;
  return { lowBits, highBits: k + ((n - 1) >>> lowBits) };
}

/**
 * Bytes of k numbers below n, zero-padded.
 *
 * @param n at most 65,536
 * @param k 1 … n
 */
export function eliasFanoBytes(n: number, k: number): number {
  const { lowBits, highBits } = codeLayout(n, k);
  return Math.ceil((k * lowBits + highBits) / 8);
}

/** @param numbers [k] strictly ascending, below n */
export function encodeEliasFano(numbers: Uint16Array, n: number): Uint8Array<ArrayBuffer> {
  const k = numbers.length;
  const { lowBits } = codeLayout(n, k);
  const bytes = new Uint8Array(eliasFanoBytes(n, k));
  const mask = (1 << lowBits) - 1;
  numbers.forEach((number, i) => {
    writeBits(bytes, i * lowBits, number & mask);
    writeBits(bytes, k * lowBits + (number >>> lowBits) + i, 1);
  });
  return bytes;
}

/**
 * Whatever has exactly k marks and zeros behind them decodes to a code of its own; that the numbers ascend strictly and
 * lie below n is left to the caller, who has to say which of the two is wrong.
 *
 * @param bytes exactly `eliasFanoBytes(n, k)`
 * @returns [k] ascending but for their low bits
 * @throws RangeError when the length, the number of marks or the padding is wrong
 */
export function decodeEliasFano(bytes: Uint8Array, n: number, k: number): Uint16Array<ArrayBuffer> {
  if (bytes.length !== eliasFanoBytes(n, k)) {
    throw new RangeError(`${k} numbers below ${n} take ${eliasFanoBytes(n, k)} bytes, not ${bytes.length}`);
  }
  const { lowBits, highBits } = codeLayout(n, k);
  const start = k * lowBits;
  const end = start + highBits;
  const numbers = new Uint16Array(k);
  let i = 0;
  for (let at = start; at < end; at += STRIDE) {
    for (let marks = readBits(bytes, at, Math.min(STRIDE, end - at)); marks !== 0; marks &= marks - 1) {
      if (i === k) throw new RangeError(`more than ${k} numbers are marked`);
      const mark = at + 31 - Math.clz32(marks & -marks);
      numbers[i] = ((mark - start - i) << lowBits) | readBits(bytes, i * lowBits, lowBits);
      i++;
    }
  }
  if (i < k) throw new RangeError(`${i} numbers are marked, not ${k}`);
  if ((end & 7) !== 0 && bytes[bytes.length - 1]! >>> (end & 7) !== 0) throw new RangeError('the padding is not zero');
  return numbers;
}
