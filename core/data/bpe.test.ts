import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE_TOKENS, ByteLevelBpe, countWords, END_OF_TEXT, TokenizerError, trainBpe, words } from './bpe.ts';
import { loadTokenizer, toTokenizerJson } from './tokenizer.ts';

const SAMPLE = `It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness; it's what they'd said: "the époque of belief", the époque of incredulity -- 1775, 1775 and 1776.
   The season of Light, the season of Darkness, the spring of hope, the winter of despair. Ünïcödé 日本語 日本語 🙂🙂`;

function train(text: string, vocabSize: number): ByteLevelBpe {
  const counts = new Map<string, number>();
  countWords(text, counts);
  return new ByteLevelBpe(trainBpe(counts, vocabSize));
}

const tokenizer = train(SAMPLE.repeat(3), 400);
const oracle = new Tokenizer(toTokenizerJson(tokenizer), {});

// The oracle means JavaScript's \s, which differs from the Unicode property in these two (see bpe.ts).
const unlikeOracle = /[\u0085\ufeff]/;
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.constantFrom(...SAMPLE.split(/\b/), ' ', '\n', '\t\t', "'s", "'RE", END_OF_TEXT, '\u00a0', '1', 'é'))
      .map((parts) => parts.join('')),
  )
  .filter((value) => !unlikeOracle.test(value));

describe('byte-level BPE', () => {
  it('gives the ids of @huggingface/tokenizers', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(tokenizer.encode(value)).toEqual(oracle.encode(value, { add_special_tokens: false }).ids);
      }),
      { numRuns: 1000 },
    );
    expect(tokenizer.encode(SAMPLE)).toEqual(oracle.encode(SAMPLE).ids);
  });

  it('decodes what it encoded, and as the oracle does', () => {
    fc.assert(
      fc.property(text, (value) => {
        const ids = tokenizer.encode(value);
        expect(tokenizer.decode(ids)).toBe(value);
        if (ids.length === 0) return;
        const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
        expect(oracle.decode(ids, options)).toBe(value);
      }),
    );
    expect(tokenizer.decode(tokenizer.encode('\ufeffA\u0085B'))).toBe('\ufeffA\u0085B');
  });

  it('decodes any ids in range, also those that are no UTF-8', () => {
    const id = fc.nat(tokenizer.vocabSize - 1);
    fc.assert(fc.property(fc.array(id), (ids) => typeof tokenizer.decode(ids) === 'string'));
    expect(tokenizer.decode([0xff + 1])).toBe('\ufffd');
    expect(() => tokenizer.decode([tokenizer.vocabSize])).toThrow(TokenizerError);
    expect(() => tokenizer.decode([-1])).toThrow(TokenizerError);
  });

  it('cuts text into words without loss', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => words(value).join('') === value));
    expect(words("it's  he'd \u0085x")).toEqual(['it', "'s", ' ', ' he', "'d", ' ', '\u0085', 'x']);
  });

  it('merges the most frequent pair first, among equals the lowest ids', () => {
    const merges = trainBpe(
      new Map([
        ['abab', 5],
        ['cd', 10],
        ['xy', 3],
      ]),
      260,
    );
    const ids = (pair: string): number[] => Array.from(pair, (c) => c.charCodeAt(0) + 1);
    expect(merges).toEqual([ids('ab'), ids('cd'), [BASE_TOKENS, BASE_TOKENS]]);
  });

  it('merges a run of one letter from the left', () => {
    const { merges } = train('aaa aaa aaa', 300);
    expect(new ByteLevelBpe(merges).encode('aaaaa').length).toBeLessThan(5);
  });

  it('stops when nothing occurs twice, and never makes the same bytes twice', () => {
    const bpe = train(SAMPLE.repeat(2), 10_000);
    expect(bpe.vocabSize).toBeLessThan(10_000);
    const all = Array.from({ length: bpe.vocabSize }, (_, id) => String(bpe.tokenBytes(id)));
    expect(new Set(all).size).toBe(all.length);
  });

  it('encodes a long word in reasonable time', () => {
    const started = performance.now();
    expect(tokenizer.encode('the'.repeat(50_000)).length).toBeGreaterThan(1);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each([256, 2 ** 20 + 1, 300.5])('refuses a vocabulary of %s', (size) => {
    expect(() => trainBpe(new Map(), size)).toThrow(TokenizerError);
  });

  it('refuses merges of tokens that do not exist, and repetitions', () => {
    expect(() => new ByteLevelBpe([[1, 257]])).toThrow(TokenizerError);
    expect(() => new ByteLevelBpe([[0, 1]])).toThrow(TokenizerError);
    expect(() => new ByteLevelBpe([[1, 2], [1, 2]])).toThrow(TokenizerError); // prettier-ignore
  });
});

describe('tokenizer.json', () => {
  interface TokenizerJson {
    normalizer: unknown;
    pre_tokenizer: { type: string };
    model: { type: string; vocab: Record<string, number>; merges: unknown[] };
  }
  const json = (): TokenizerJson => JSON.parse(JSON.stringify(toTokenizerJson(tokenizer))) as TokenizerJson;

  it('loads what it wrote', () => {
    const loaded = loadTokenizer(json());
    expect(loaded.merges).toEqual(tokenizer.merges);
    expect(loaded.encode(SAMPLE)).toEqual(tokenizer.encode(SAMPLE));
  });

  it('loads merges written as pairs, as newer libraries do', () => {
    const value = json();
    value.model.merges = value.model.merges.map((pair) => (pair as string).split(' '));
    expect(loadTokenizer(value).merges).toEqual(tokenizer.merges);
  });

  it.each<[string, (value: TokenizerJson) => void]>([
    ['another model', (value) => (value.model.type = 'WordPiece')],
    ['another pre-tokenizer', (value) => (value.pre_tokenizer.type = 'Metaspace')],
    ['a normalizer', (value) => (value.normalizer = { type: 'NFC' })],
    ['a missing merge', (value) => value.model.merges.pop()],
    ['a merge that is no pair', (value) => value.model.merges.splice(0, 1, 'abc')],
    ['swapped ids', (value) => Object.assign(value.model.vocab, { a: 99, b: 98 })],
    ['merges in another order', (value) => value.model.merges.reverse()],
  ])('refuses %s', (_, damage) => {
    const value = json();
    damage(value);
    expect(() => loadTokenizer(value)).toThrow(TokenizerError);
  });

  it('fails only with its own error on any JSON', () => {
    const { model } = json();
    const damaged = fc.tuple(fc.constantFrom(...Object.keys(model)), fc.jsonValue()).map(([key, value]) => ({
      ...json(),
      model: { ...model, [key]: value },
    }));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), damaged), (value) => {
        try {
          loadTokenizer(value);
        } catch (error) {
          expect(error).toBeInstanceOf(TokenizerError);
        }
      }),
    );
  });
});
