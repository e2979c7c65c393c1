/** What an audit reads: a validator's public data over HTTP, each answer parsed and bounded. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type * as z from 'zod';
import {
  LeaderboardSchema,
  PeerSchema,
  WindowSummarySchema,
  type Leaderboard,
  type SignedReceipt,
  type WindowSummary,
} from '../../core/protocol/api.ts';
import { SignedBookSchema, type SignedBook } from '../../core/protocol/book.ts';
import { SignedManifestSchema, type SignedManifest } from '../../core/protocol/manifest.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import { parseBoundedJson } from '../../core/wire/bounded-json.ts';

/** The public data cannot be had, or is not what it has to be: there is nothing to audit. */
export class AuditSourceError extends Error {
  override readonly name = 'AuditSourceError';
}

export interface AuditSource {
  run(): Promise<SignedManifest>;
  book(window: number): Promise<SignedBook>;
  windows(from: number, limit: number): Promise<WindowSummary[]>;
  /** Receipts of a hotkey, the newest ones; none for one that is not known. */
  receipts(hotkey: string): Promise<SignedReceipt[]>;
  /** @throws AuditSourceError when it is missing, or its hash is another */
  blob(ref: Pick<BlobRef, 'sha256'>): Promise<Uint8Array<ArrayBuffer>>;
}

/** What else is read of a validator from outside. */
export interface PublicSource extends AuditSource {
  leaderboard(): Promise<Leaderboard>;
}

const MAX_JSON_BYTES = 256 * 2 ** 20;
const MAX_BLOB_BYTES = 2 ** 32;
const MAX_WINDOWS_A_PAGE = 500;

async function readBounded(response: Response, maxBytes: number, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for await (const part of response.body ?? []) {
    total += part.length;
    if (total > maxBytes) throw new AuditSourceError(`${url} answers with more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param baseUrl of the validator */
export function createAuditSource(baseUrl: string, fetchFrom: typeof fetch = fetch): PublicSource {
  const base = baseUrl.replace(/\/+$/, '');

  async function get(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const url = base + path;
    const response = await fetchFrom(url).catch((cause: unknown) => {
      throw new AuditSourceError(`${url} cannot be reached`, { cause });
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new AuditSourceError(`${url} answers ${response.status}`);
    return readBounded(response, maxBytes, url);
  }

  async function json<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
    const bytes = await get(path, MAX_JSON_BYTES);
    if (!bytes) return undefined;
    let value: unknown;
    try {
      value = parseBoundedJson(bytes);
    } catch (cause) {
      throw new AuditSourceError(`${base}${path} answers with something that is no JSON`, { cause });
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new AuditSourceError(`${base}${path} has another form: ${parsed.error.message}`);
    return parsed.data;
  }

  return {
    async run() {
      const signed = await json(SignedManifestSchema, '/v1/run');
      if (!signed) throw new AuditSourceError(`${base} is no validator of this protocol`);
      return signed;
    },
    async book(window) {
      const signed = await json(SignedBookSchema, `/v1/windows/${window}/book`);
      if (!signed) throw new AuditSourceError(`there is no book of window ${window}`);
      return signed;
    },
    async leaderboard() {
      const board = await json(LeaderboardSchema, '/v1/leaderboard');
      if (!board) throw new AuditSourceError(`${base} has no leaderboard`);
      return board;
    },
    async windows(from, limit) {
      const rows: WindowSummary[] = [];
      while (rows.length < limit) {
        const count = Math.min(MAX_WINDOWS_A_PAGE, limit - rows.length);
        const page = await json(WindowSummarySchema.array(), `/v1/windows?from=${from + rows.length}&limit=${count}`);
        if (!page || page.length === 0) break;
        rows.push(...page);
      }
      return rows;
    },
    async receipts(hotkey) {
      return (await json(PeerSchema, `/v1/peers/${hotkey}`))?.receipts ?? [];
    },
    async blob({ sha256: hash }) {
      const bytes = await get(`/v1/blobs/${hash}`, MAX_BLOB_BYTES);
      if (!bytes) throw new AuditSourceError(`blob ${hash} is missing`);
      if (bytesToHex(sha256(bytes)) !== hash) throw new AuditSourceError(`blob ${hash} has another hash`);
      return bytes;
    },
  };
}
