/** Bit sets over parameters: bit i is bit i mod 32 (LSB first) of word i / 32. */

const WORD = 32;

/** A bit set of `count` bits, all 0. [ceil(count / 32)] words */
export function bitSet(count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Math.ceil(count / WORD));
}

export function hasBit(words: Uint32Array, index: number): boolean {
  return ((words[index >>> 5]! >>> (index & 31)) & 1) === 1;
}

/** Sets `count` bits from `start` on. */
export function setBits(words: Uint32Array, start: number, count: number): void {
  const end = start + count;
  for (let at = start; at < end;) {
    const from = at & 31;
    const run = Math.min(WORD - from, end - at);
    words[at >>> 5]! |= run === WORD ? -1 : ((1 << run) - 1) << from;
    at += run;
  }
}
