/**
 * Arranges a corpus: cuts it into passages, holds out the end of every source, and spreads each source evenly over
 * the whole, so that any part of the index has all of them in proportion. No randomness, so nothing to seed.
 */
import { CorpusError, type Corpus, type Source } from './corpus.ts';

/** Characters a passage, at most: a few pages of the small presets. */
const PASSAGE = 8_192;
/** Share of each source that is held out, at least. */
const HELD_OUT = 0.02;

export interface Arrangement {
  readonly train: readonly string[];
  readonly heldOut: readonly string[];
}

/** Cuts a text into passages, at the best boundary in the second half of each. */
export function passages(text: string): string[] {
  const result: string[] = [];
  let start = 0;
  while (start < text.length) {
    let end = Math.min(text.length, start + PASSAGE);
    if (end < text.length) {
      const half = text.slice(start + PASSAGE / 2, end);
      const mark = ['\n\n', '\n', '. ', ' '].find((candidate) => half.includes(candidate));
      if (mark !== undefined) end = start + PASSAGE / 2 + half.lastIndexOf(mark) + mark.length;
      // Never between the two halves of a surrogate pair.
      else if (/[\ud800-\udbff]/.test(text[end - 1]!)) end++;
    }
    const passage = text.slice(start, end).trim();
    if (passage !== '') result.push(passage);
    start = end;
  }
  return result;
}

/** Takes items from the end of a list until they have a share of its characters; never the first. */
function splitTail<T>(items: readonly T[], length: (item: T) => number): [T[], T[]] {
  const total = items.reduce((sum, item) => sum + length(item), 0);
  let from = items.length;
  for (let taken = 0; from > 1 && taken < total * HELD_OUT;) taken += length(items[--from]!);
  return [items.slice(0, from), items.slice(from)];
}

/** Of a source of many documents whole ones are held out, of a single document its last passages. */
function splitSource({ documents }: Source): [string[], string[]] {
  if (documents.length === 1) return splitTail(passages(documents[0]!), (passage) => passage.length);
  const [train, heldOut] = splitTail(documents, (document) => document.length);
  return [train.flatMap(passages), heldOut.flatMap(passages)];
}

/** Merges lists so that the k-th of n items stands at (k + 1/2) / n of the whole. */
function spread(lists: readonly (readonly string[])[]): string[] {
  return lists
    .flatMap((list, order) => list.map((text, k) => ({ text, order, at: (k + 0.5) / list.length })))
    .sort((a, b) => a.at - b.at || a.order - b.order)
    .map(({ text }) => text);
}

/** The first items that together have at most `bytes` of UTF-8. */
function within(items: readonly string[], bytes: number): string[] {
  let left = bytes;
  const end = items.findIndex((text) => (left -= Buffer.byteLength(text)) < 0);
  return items.slice(0, end < 0 ? items.length : end);
}

/**
 * @param maxBytes UTF-8 bytes of training text used at most; null for all
 * @throws CorpusError when there is nothing to train on or to hold out
 */
export function arrangeCorpus(corpus: Corpus, maxBytes: number | null): Arrangement {
  const split = corpus.sources.map(splitSource);
  const train = spread(split.map(([part]) => part));
  const heldOut = spread(split.map(([, part]) => part));
  if (train.length === 0 || heldOut.length === 0) {
    throw new CorpusError('the corpus is too small: nothing could be held out of it');
  }
  return { train: maxBytes === null ? train : within(train, maxBytes), heldOut };
}
