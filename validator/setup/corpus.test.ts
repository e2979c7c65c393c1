import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrangeCorpus, passages } from './arrange.ts';
import { CorpusError, embeddedCorpus, fingerprint, readCorpus, stripGutenberg, type Corpus } from './corpus.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'corpus-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

const characters = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);

describe('embedded corpus', () => {
  it('has 18 books and 233 addresses, the Bible a tenth, and no notices of Project Gutenberg', async () => {
    const { sources } = await embeddedCorpus();
    expect(sources).toHaveLength(19);
    expect(sources.at(-1)!.documents).toHaveLength(233);
    const total = characters(sources.flatMap(({ documents }) => documents));
    const bible = characters(sources.find(({ name }) => name === 'bible-kjv.txt')!.documents);
    expect(total).toBeGreaterThan(19e6);
    expect(bible / total).toBeLessThanOrEqual(0.1);
    expect(bible / total).toBeGreaterThan(0.099);
    expect(sources.some(({ documents }) => documents.some((text) => text.includes('Project Gutenberg')))).toBe(false);
    expect(sources.every(({ documents }) => documents.every((text) => text.length > 0 && !text.includes('\r')))).toBe(
      true,
    );
  });

  it('holds out the latest addresses, and never trains on what it holds out', async () => {
    const corpus = await embeddedCorpus();
    const { train, heldOut } = arrangeCorpus(corpus, null);
    const latest = passages(corpus.sources.at(-1)!.documents.at(-1)!);
    expect(heldOut).toEqual(expect.arrayContaining(latest));
    const trained = new Set(train);
    expect(heldOut.some((passage) => trained.has(passage))).toBe(false);
    const share = characters(heldOut) / characters([...train, ...heldOut]);
    expect(share).toBeGreaterThan(0.02);
    expect(share).toBeLessThan(0.04);
  });
});

describe('stripGutenberg', () => {
  it('keeps what is between the marks', () => {
    const book =
      'Legal\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\nText.\n\n*** END OF THIS PROJECT GUTENBERG EBOOK X ***\nLegal';
    expect(stripGutenberg(book)).toBe('Text.');
    expect(stripGutenberg("Text.\n\nEnd of Project Gutenberg's X\n\nLegal")).toBe('Text.');
    expect(stripGutenberg('Text.')).toBe('Text.');
  });
});

describe("operator's corpus", () => {
  it('reads plain text and JSON lines', async () => {
    const txt = await file('a.txt', 'Hello\r\nthere\n');
    const jsonl = await file('b.jsonl', '{"text":"One","id":1}\n\n{"text":"Two"}\n');
    const { sources, description } = await readCorpus([txt, jsonl]);
    expect(sources).toEqual([
      { name: 'a.txt', documents: ['Hello\nthere'] },
      { name: 'b.jsonl', documents: ['One', 'Two'] },
    ]);
    expect(description).toContain('a.txt, b.jsonl');
  });

  it('reads Windows-1252 where a text is not UTF-8', async () => {
    const path = await file('latin.txt', Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
    expect((await readCorpus([path])).sources[0]!.documents).toEqual(['café']);
  });

  it.each<[string, string, RegExp]>([
    ['bad.jsonl', '{"text":"One"}\nnonsense', /line 2 is not JSON/],
    ['member.jsonl', '{"body":"One"}', /line 1 has no string member "text"/],
    ['null.jsonl', 'null', /line 1 has no string member/],
    ['empty.txt', ' \n', /has no text/],
  ])('refuses %s', async (name, content, message) => {
    const path = await file(name, content);
    await expect(readCorpus([path])).rejects.toThrow(CorpusError);
    await expect(readCorpus([path])).rejects.toThrow(message);
  });

  it.each(['missing.txt', 'missing.jsonl'])('refuses %s', async (name) => {
    await expect(readCorpus([join(dir, name)])).rejects.toThrow(/cannot be read/);
  });

  it('refuses no files', async () => {
    await expect(readCorpus([])).rejects.toThrow(CorpusError);
  });
});

describe('arrangement', () => {
  const corpus = (...sources: string[][]): Corpus => ({
    sources: sources.map((documents, i) => ({ name: `s${i}`, documents })),
    description: '',
    licence: '',
  });

  it('cuts passages without losing or splitting a character', () => {
    const long = fc.tuple(fc.string({ unit: 'grapheme' }), fc.nat(4000)).map(([text, times]) => text.repeat(times));
    fc.assert(
      fc.property(long, (text) => {
        const cut = passages(text);
        expect(cut.join('').replace(/\s/gu, '')).toBe(text.replace(/\s/gu, ''));
        expect(cut.every((passage) => passage.length <= 8193 && !/\p{Surrogate}/u.test(passage))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('spreads every source evenly', () => {
    const many = Array.from({ length: 100 }, (_, i) => `m${i}`);
    const few = Array.from({ length: 10 }, (_, i) => `f${i}`);
    const { train } = arrangeCorpus(corpus(many, few), null);
    const positions = train.flatMap((text, at) => (text.startsWith('f') ? [at] : []));
    for (const [i, at] of positions.entries()) expect(at / train.length).toBeCloseTo((i + 0.5) / positions.length, 1);
  });

  it('takes no more text than asked for', () => {
    const documents = Array.from({ length: 100 }, () => 'ä'.repeat(50));
    expect(arrangeCorpus(corpus(documents), 1_000).train).toHaveLength(10);
  });

  it('refuses a corpus of which nothing can be held out', () => {
    expect(() => arrangeCorpus(corpus(['only one passage']), null)).toThrow(CorpusError);
  });

  it('has a fingerprint of every text and its order', () => {
    const all = [corpus(['a', 'b']), corpus(['b', 'a']), corpus(['ab']), corpus(['a'], ['b'])].map(fingerprint);
    expect(new Set(all).size).toBe(all.length);
  });
});
