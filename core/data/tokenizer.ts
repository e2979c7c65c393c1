/**
 * `tokenizer.json` of a byte-level vocabulary, as the `tokenizers` and `transformers` libraries load it, and back.
 */
import * as z from 'zod';
import { BASE_TOKENS, ByteLevelBpe, END_OF_TEXT, END_OF_TEXT_ID, TokenizerError, type Merges } from './bpe.ts';

/**
 * GPT-2's printable stand-in for each byte: itself where it is a visible Latin-1 character, else a character from
 * U+0100 on, in order.
 */
const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(visible ? byte : next++);
  });
})();

const characters = (bytes: Uint8Array): string => Array.from(bytes, (byte) => BYTE_CHARACTERS[byte]!).join('');

/** The parsed `tokenizer.json` of a vocabulary. */
export function toTokenizerJson(tokenizer: ByteLevelBpe): Record<string, unknown> {
  const text = (id: number): string => characters(tokenizer.tokenBytes(id));
  const vocabulary: [string, number][] = [[END_OF_TEXT, END_OF_TEXT_ID]];
  for (let id = 1; id < tokenizer.vocabSize; id++) vocabulary.push([text(id), id]);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: END_OF_TEXT_ID,
        content: END_OF_TEXT,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges: tokenizer.merges.map(([left, right]) => `${text(left)} ${text(right)}`),
    },
  };
}

/** What this module writes; a vocabulary of another kind belongs to a library. */
const TokenizerJsonSchema = z.looseObject({
  added_tokens: z.tuple([z.looseObject({ id: z.literal(END_OF_TEXT_ID), content: z.literal(END_OF_TEXT) })]),
  normalizer: z.null(),
  pre_tokenizer: z.looseObject({
    type: z.literal('ByteLevel'),
    add_prefix_space: z.literal(false),
    use_regex: z.literal(true).optional(),
  }),
  decoder: z.looseObject({ type: z.literal('ByteLevel') }),
  model: z.looseObject({
    type: z.literal('BPE'),
    // Checked by hand: a record schema would walk the whole vocabulary.
    vocab: z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/**
 * Loads a `tokenizer.json` that `toTokenizerJson` wrote (also after another program wrote it again).
 *
 * @param json the parsed file
 * @throws TokenizerError for another kind of tokenizer or an inconsistent vocabulary
 */
export function loadTokenizer(json: unknown): ByteLevelBpe {
  const parsed = TokenizerJsonSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TokenizerError(`tokenizer.json is not one of ours: ${issue!.path.join('.')}: ${issue!.message}`);
  }
  const { vocab, merges: pairs } = parsed.data.model;
  const ids = new Map(Object.entries(vocab));
  if (ids.size !== BASE_TOKENS + pairs.length) {
    throw new TokenizerError(`tokenizer.json has ${ids.size} tokens, its merges make ${BASE_TOKENS + pairs.length}`);
  }
  const expect = (text: string, id: number): void => {
    const given = ids.get(text);
    if (given === id) return;
    // A stranger's object may have no text form.
    const said = typeof given === 'number' ? given : typeof given;
    throw new TokenizerError(`tokenizer.json gives ${text} the id ${said}, not ${id}`);
  };
  expect(END_OF_TEXT, END_OF_TEXT_ID);
  for (const [byte, character] of BYTE_CHARACTERS.entries()) expect(character, byte + 1);
  const merges: Merges = pairs.map((pair, rank) => {
    const [left, right, ...rest] = typeof pair === 'string' ? pair.split(' ') : pair;
    if (left === undefined || right === undefined || rest.length > 0) {
      throw new TokenizerError(`tokenizer.json: merge ${rank} is not a pair`);
    }
    expect(left + right, BASE_TOKENS + rank);
    const [a, b] = [left, right].map((text) => ids.get(text));
    if (typeof a !== 'number' || typeof b !== 'number') {
      throw new TokenizerError(`tokenizer.json: merge ${rank} joins tokens that do not exist`);
    }
    return [a, b];
  });
  return new ByteLevelBpe(merges);
}
