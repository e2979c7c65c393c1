/**
 * Pages: the unit of data that is assigned and evaluated. A page is a fixed number of token ids, little-endian and
 * without a header, named by its SHA-256; the index lists the hashes of all pages of a run.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { nextTokenBatch, type Batch } from './batch.ts';

/** A page or an index is not what the manifest says; the message says how. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** What all pages of a run have in common. */
export interface PageFormat {
  /** Sequences a page. */
  readonly sequences: number;
  /** Tokens a sequence. */
  readonly length: number;
  /** Bytes a token id. */
  readonly tokenBytes: 2 | 4;
  /** Ids are below this. */
  readonly vocabSize: number;
}

/** The format of a run's pages, from its manifest. */
export function pageFormat(manifest: {
  readonly model: { readonly contextLength: number };
  readonly tokenizer: { readonly vocabSize: number };
  readonly data: { readonly pageSequences: number; readonly tokenBytes: 2 | 4 };
}): PageFormat {
  return {
    sequences: manifest.data.pageSequences,
    length: manifest.model.contextLength,
    tokenBytes: manifest.data.tokenBytes,
    vocabSize: manifest.tokenizer.vocabSize,
  };
}

/** Size of every page. */
export function pageBytes(format: PageFormat): number {
  return format.sequences * format.length * format.tokenBytes;
}

/**
 * @param ids exactly `sequences * length` token ids
 * @throws DataError for another number of ids or an id outside the vocabulary
 */
export function encodePage(ids: ArrayLike<number>, format: PageFormat): Uint8Array<ArrayBuffer> {
  const tokens = format.sequences * format.length;
  if (ids.length !== tokens) throw new DataError(`a page has ${tokens} tokens, not ${ids.length}`);
  const bytes = new Uint8Array(pageBytes(format));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < tokens; i++) {
    const id = ids[i]!;
    if (!(Number.isInteger(id) && id >= 0 && id < format.vocabSize)) {
      throw new DataError(`token ${id} is outside the vocabulary of ${format.vocabSize}`);
    }
    if (format.tokenBytes === 2) view.setUint16(2 * i, id, true);
    else view.setUint32(4 * i, id, true);
  }
  return bytes;
}

/**
 * @returns [sequences * length] token ids, sequence after sequence
 * @throws DataError for another size or an id outside the vocabulary
 */
export function decodePage(bytes: Uint8Array, format: PageFormat): Int32Array<ArrayBuffer> {
  if (bytes.length !== pageBytes(format)) {
    throw new DataError(`a page has ${pageBytes(format)} bytes, not ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ids = new Int32Array(format.sequences * format.length);
  for (let i = 0; i < ids.length; i++) {
    const id = format.tokenBytes === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true);
    if (id >= format.vocabSize) throw new DataError(`token ${id} is outside the vocabulary of ${format.vocabSize}`);
    ids[i] = id;
  }
  return ids;
}

/** A page as one batch of `format.sequences` sequences. @throws DataError as `decodePage` */
export function pageBatch(bytes: Uint8Array, format: PageFormat): Batch {
  return nextTokenBatch(decodePage(bytes, format), format.sequences, format.length);
}

const HASH_BYTES = 32;

/** The index of pages with these hashes (64 hex digits each): the hashes' bytes, one after another. */
export function encodePageIndex(hashes: readonly string[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [page, hash] of hashes.entries()) {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new DataError(`the hash of page ${page} is not 64 lower-case hex digits`);
    bytes.set(hexToBytes(hash), page * HASH_BYTES);
  }
  return bytes;
}

/**
 * @param pages how many the manifest says there are
 * @returns the hash of each page in hex
 * @throws DataError for another size
 */
export function decodePageIndex(bytes: Uint8Array, pages: number): string[] {
  if (bytes.length !== pages * HASH_BYTES) {
    throw new DataError(`the index of ${pages} pages has ${pages * HASH_BYTES} bytes, not ${bytes.length}`);
  }
  return Array.from({ length: pages }, (_, page) =>
    bytesToHex(bytes.subarray(page * HASH_BYTES, (page + 1) * HASH_BYTES)),
  );
}
