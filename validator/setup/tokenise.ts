/** Arranged text to a tokenizer and pages of tokens, in slices that let a server answer meanwhile. Node only. */
import { Tokenizer } from '@huggingface/tokenizers';
import { ByteLevelBpe, countWords, END_OF_TEXT_ID, trainBpe } from '../../core/data/bpe.ts';
import { encodePage, type PageFormat } from '../../core/data/pages.ts';
import { loadTokenizer } from '../../core/data/tokenizer.ts';
import { CorpusError } from './corpus.ts';

/** Called with the share done, 0 to 1. */
export type Progress = (fraction: number) => void;

/** Encodes passages; `endOfText` is put after each, where there is such a token. */
export interface Encoder {
  readonly vocabSize: number;
  readonly endOfText: number | null;
  encode(text: string): number[];
}

/** Longest time the event loop is kept, in milliseconds. */
const SLICE = 50;

/** Visits all items, yielding to the event loop now and then. */
async function visit<T>(items: readonly T[], progress: Progress, each: (item: T) => void): Promise<void> {
  let yielded = performance.now();
  for (const [done, item] of items.entries()) {
    each(item);
    if (performance.now() - yielded < SLICE) continue;
    progress((done + 1) / items.length);
    await new Promise((resolve) => setImmediate(resolve));
    yielded = performance.now();
  }
  progress(1);
}

/**
 * Trains a vocabulary.
 *
 * @param vocabSize ids wanted; a small corpus may give fewer
 */
export async function trainTokenizer(
  passages: readonly string[],
  vocabSize: number,
  progress: Progress,
): Promise<ByteLevelBpe> {
  const counts = new Map<string, number>();
  await visit(passages, progress, (passage) => {
    countWords(passage, counts);
  });
  return new ByteLevelBpe(trainBpe(counts, vocabSize));
}

export function bpeEncoder(tokenizer: ByteLevelBpe): Encoder {
  return {
    vocabSize: tokenizer.vocabSize,
    endOfText: END_OF_TEXT_ID,
    encode: (text) => tokenizer.encode(text),
  };
}

/**
 * The encoder of any `tokenizer.json`: our own fast one where the file is ours, else the library's.
 *
 * @param vocabSize rows of the model's embedding: ids are below it
 * @param endOfText id put between passages, or null
 * @throws CorpusError when the library cannot load the file
 */
export function encoderOf(tokenizerJson: Uint8Array, vocabSize: number, endOfText: number | null): Encoder {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(tokenizerJson));
    try {
      return { ...bpeEncoder(loadTokenizer(json)), vocabSize, endOfText };
    } catch {
      const tokenizer = new Tokenizer(json as object, {});
      return { vocabSize, endOfText, encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids };
    }
  } catch (cause) {
    throw new CorpusError(`tokenizer.json cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Encodes passages one after another and cuts the tokens into pages; what does not fill a page is dropped.
 *
 * @throws DataError when the tokenizer gives an id outside the model's vocabulary
 */
export async function tokenisePages(
  passages: readonly string[],
  encoder: Encoder,
  format: PageFormat,
  progress: Progress,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const pages: Uint8Array<ArrayBuffer>[] = [];
  const page: number[] = [];
  const size = format.sequences * format.length;
  const add = (id: number): void => {
    if (page.push(id) < size) return;
    pages.push(encodePage(page, format));
    page.length = 0;
  };
  await visit(passages, progress, (passage) => {
    for (const id of encoder.encode(passage)) add(id);
    if (encoder.endOfText !== null) add(encoder.endOfText);
  });
  return pages;
}
