/** Keeps tokenised data in a folder, so that a restart or the next test need not make it again. Node only. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { writeFileAtomically } from './files.ts';

/** Where the commands keep it: beside the packages that the embedded corpus comes from. */
export const DEFAULT_CACHE = fileURLToPath(new URL('../../node_modules/.cache/gauntlet', import.meta.url));

export interface TokenisedData {
  readonly tokenizerJson: Uint8Array<ArrayBuffer>;
  /** Ids in the pages are below it. */
  readonly vocabSize: number;
  readonly trainPages: readonly Uint8Array<ArrayBuffer>[];
  readonly heldOutPages: readonly Uint8Array<ArrayBuffer>[];
}

const size = z.int().nonnegative();
const HeaderSchema = z.object({
  vocabSize: size,
  tokenizerBytes: size,
  pageBytes: size,
  trainPages: size,
  heldOutPages: size,
  /** SHA-256 of what follows the header. */
  sha256: z.string(),
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const path = (dir: string, key: string): string => join(dir, `${key}.tokens`);

/**
 * One file: the header as a line of JSON, tokenizer.json, the pages. Where nothing can be written, as in an image, nothing is
 * kept: it only saves time.
 *
 * @param key names the input that the data was made of
 */
export async function writeCachedData(dir: string, key: string, data: TokenisedData): Promise<void> {
  try {
    await writeData(dir, key, data);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

async function writeData(dir: string, key: string, data: TokenisedData): Promise<void> {
  await mkdir(dir, { recursive: true });
  const body = Buffer.concat([data.tokenizerJson, ...data.trainPages, ...data.heldOutPages]);
  const header: z.infer<typeof HeaderSchema> = {
    vocabSize: data.vocabSize,
    tokenizerBytes: data.tokenizerJson.length,
    pageBytes: data.trainPages[0]?.length ?? data.heldOutPages[0]?.length ?? 0,
    trainPages: data.trainPages.length,
    heldOutPages: data.heldOutPages.length,
    sha256: sha256(body),
  };
  await writeFileAtomically(path(dir, key), [`${JSON.stringify(header)}\n`, body]);
}

function parseHeader(line: string): z.infer<typeof HeaderSchema> | null {
  try {
    return HeaderSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** What was kept under a key, or null when nothing was or it is damaged. */
export async function readCachedData(dir: string, key: string): Promise<TokenisedData | null> {
  let file: Uint8Array<ArrayBuffer>;
  try {
    file = new Uint8Array(await readFile(path(dir, key)));
  } catch {
    return null;
  }
  const line = file.indexOf(0x0a);
  const header = line < 0 ? null : parseHeader(new TextDecoder().decode(file.subarray(0, line)));
  const body = file.subarray(line + 1);
  if (header === null || sha256(body) !== header.sha256) return null;
  const { vocabSize, tokenizerBytes, pageBytes } = header;
  const pages = (from: number, count: number): Uint8Array<ArrayBuffer>[] =>
    Array.from({ length: count }, (_, i) => {
      const start = tokenizerBytes + (from + i) * pageBytes;
      return body.slice(start, start + pageBytes);
    });
  return {
    tokenizerJson: body.slice(0, tokenizerBytes),
    vocabSize,
    trainPages: pages(0, header.trainPages),
    heldOutPages: pages(header.trainPages, header.heldOutPages),
  };
}
