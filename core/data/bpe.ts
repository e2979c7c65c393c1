/**
 * Byte-level byte-pair encoding with GPT-2's pre-tokenisation: trainer, encoder and decoder. Deterministic: the same
 * texts give the same tokens in every engine.
 *
 * Ids: 0 is `<|endoftext|>`, 1 to 256 are the bytes, 257 + i is what merge i makes. No two merges make the same bytes,
 * so a merge that uses a token always ranks after the merge that makes it, and merging all occurrences of a pair at
 * once gives what `tokenizers` gets one by one.
 */

export const END_OF_TEXT = '<|endoftext|>';
export const END_OF_TEXT_ID = 0;
/** Ids that exist before any merge. */
export const BASE_TOKENS = 257;
/** Bound on the vocabulary, so that a pair of ids is an exact double. */
export const MAX_VOCABULARY = 2 ** 20;

/** A vocabulary cannot be trained or used as asked; the message says why. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

/** The pair of ids that each merge joins, in order of rank. */
export type Merges = readonly (readonly [number, number])[];

/**
 * GPT-2's pattern. `\p{White_Space}` rather than JavaScript's `\s`, which has U+FEFF and lacks U+0085, because
 * `tokenizers` means the Unicode property.
 */
const WORDS =
  /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Cuts text into the words that no token crosses; concatenated they are the text. */
export function words(text: string): string[] {
  return text.match(WORDS) ?? [];
}

const pairKey = (left: number, right: number): number => left * MAX_VOCABULARY + right;

/** Byte tokens of a word. */
function byteTokens(word: string): number[] {
  return Array.from(new TextEncoder().encode(word), (byte) => byte + 1);
}

/** Replaces each (left, right) from the left by `made`, in place. */
function replacePair(symbols: number[], left: number, right: number, made: number): void {
  let kept = 0;
  for (let i = 0; i < symbols.length; i++, kept++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      symbols[kept] = made;
      i++;
    } else {
      symbols[kept] = symbols[i]!;
    }
  }
  symbols.length = kept;
}

interface Candidate {
  readonly key: number;
  readonly count: number;
}

/** Binary heap: the highest count first, among equals the lowest key. */
class CandidateHeap {
  readonly #items: Candidate[] = [];

  static #before(a: Candidate, b: Candidate): boolean {
    return a.count > b.count || (a.count === b.count && a.key < b.key);
  }

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!CandidateHeap.#before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const item = items.pop();
    if (items.length === 0 || item === undefined) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && CandidateHeap.#before(items[child + 1]!, items[child]!)) child++;
      if (!CandidateHeap.#before(items[child]!, item)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
    return top;
  }
}

/** Adds a text's words to `counts`. */
export function countWords(text: string, counts: Map<string, number>): void {
  for (const word of words(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
}

/**
 * Trains merges: each joins the pair of adjacent tokens that is most frequent by then (among equals the lowest ids).
 *
 * @param counts how often each word occurs
 * @param vocabSize ids wanted, at least 257; fewer come out when no pair occurs twice any more
 * @throws TokenizerError for a vocabulary size out of range
 */
export function trainBpe(counts: ReadonlyMap<string, number>, vocabSize: number): Merges {
  if (!Number.isInteger(vocabSize) || vocabSize < BASE_TOKENS || vocabSize > MAX_VOCABULARY) {
    throw new TokenizerError(`a vocabulary has ${BASE_TOKENS} to ${MAX_VOCABULARY} tokens, not ${vocabSize}`);
  }
  const entries = [...counts].map(([word, count]) => ({ symbols: byteTokens(word), count }));
  const frequency = new Map<number, number>();
  const occursIn = new Map<number, Set<number>>();
  const tally = (index: number, sign: 1 | -1): void => {
    const { symbols, count } = entries[index]!;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const key = pairKey(symbols[i]!, symbols[i + 1]!);
      frequency.set(key, (frequency.get(key) ?? 0) + sign * count);
      if (sign < 0) continue;
      const set = occursIn.get(key);
      if (set === undefined) occursIn.set(key, new Set([index]));
      else set.add(index);
    }
  };
  for (let index = 0; index < entries.length; index++) tally(index, 1);

  const heap = new CandidateHeap();
  for (const [key, count] of frequency) heap.push({ key, count });

  // Byte tokens as Latin-1 characters: a cheap identity for a byte string.
  const text = Array.from({ length: BASE_TOKENS }, (_, id) => (id === 0 ? '' : String.fromCharCode(id - 1)));
  const known = new Set(text);
  const merges: [number, number][] = [];
  while (BASE_TOKENS + merges.length < vocabSize) {
    const best = heap.pop();
    if (best === undefined || best.count < 2) break;
    const { key } = best;
    const count = frequency.get(key)!;
    if (count !== best.count) {
      if (count > 0) heap.push({ key, count });
      continue;
    }
    const left = Math.floor(key / MAX_VOCABULARY);
    const right = key % MAX_VOCABULARY;
    const joined = text[left]! + text[right]!;
    if (known.has(joined)) continue;
    const made = BASE_TOKENS + merges.length;
    merges.push([left, right]);
    text.push(joined);
    known.add(joined);

    const grown = new Set<number>();
    for (const index of occursIn.get(key)!) {
      const { symbols } = entries[index]!;
      tally(index, -1);
      replacePair(symbols, left, right, made);
      tally(index, 1);
      for (let i = 0; i + 1 < symbols.length; i++) {
        if (symbols[i] === made || symbols[i + 1] === made) grown.add(pairKey(symbols[i]!, symbols[i + 1]!));
      }
    }
    occursIn.delete(key);
    for (const pair of grown) heap.push({ key: pair, count: frequency.get(pair)! });
  }
  return merges;
}

/** Words remembered by an encoder; a text has far fewer that recur. */
const CACHED_WORDS = 100_000;

/** Encoder and decoder of one vocabulary. */
export class ByteLevelBpe {
  readonly merges: Merges;
  readonly vocabSize: number;
  readonly #rank = new Map<number, number>();
  readonly #bytes: Uint8Array[];
  readonly #cache = new Map<string, readonly number[]>();

  /** @throws TokenizerError when a merge uses a token that does not exist yet, or repeats another */
  constructor(merges: Merges) {
    this.merges = merges;
    this.vocabSize = BASE_TOKENS + merges.length;
    if (this.vocabSize > MAX_VOCABULARY) throw new TokenizerError(`${this.vocabSize} tokens are too many`);
    this.#bytes = [
      new TextEncoder().encode(END_OF_TEXT),
      ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ];
    for (const [rank, [left, right]] of merges.entries()) {
      const [a, b] = [left, right].map((id) => (id === END_OF_TEXT_ID ? undefined : this.#bytes[id]));
      if (a === undefined || b === undefined) {
        throw new TokenizerError(`merge ${rank} joins ${left} and ${right}, which do not both exist by then`);
      }
      const key = pairKey(left, right);
      if (this.#rank.has(key)) throw new TokenizerError(`merge ${rank} repeats another`);
      this.#rank.set(key, rank);
      const joined = new Uint8Array(a.length + b.length);
      joined.set(a);
      joined.set(b, a.length);
      this.#bytes.push(joined);
    }
  }

  /** The bytes of a token. @throws TokenizerError for an id out of range */
  tokenBytes(id: number): Uint8Array {
    const bytes = this.#bytes[id];
    if (bytes === undefined) throw new TokenizerError(`no token ${id} in a vocabulary of ${this.vocabSize}`);
    return bytes;
  }

  #encodeWord(word: string): readonly number[] {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const symbols = byteTokens(word);
    for (;;) {
      let best = Infinity;
      for (let i = 0; i + 1 < symbols.length; i++) {
        const rank = this.#rank.get(pairKey(symbols[i]!, symbols[i + 1]!));
        if (rank !== undefined && rank < best) best = rank;
      }
      if (best === Infinity) break;
      const [left, right] = this.merges[best]!;
      replacePair(symbols, left, right, BASE_TOKENS + best);
    }
    if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
    this.#cache.set(word, symbols);
    return symbols;
  }

  /** Token ids of a text; `<|endoftext|>` in it becomes the special token, as in `tokenizers`. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (const [part, piece] of text.split(END_OF_TEXT).entries()) {
      if (part > 0) ids.push(END_OF_TEXT_ID);
      for (const word of words(piece)) {
        for (const id of this.#encodeWord(word)) ids.push(id);
      }
    }
    return ids;
  }

  /** Text of token ids; bytes that are no UTF-8 become U+FFFD. @throws TokenizerError for an id out of range */
  decode(ids: Iterable<number>): string {
    const pieces = Array.from(ids, (id) => this.tokenBytes(id));
    const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }
}
