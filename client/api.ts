/** The validator's HTTP API as functions: answers are schema-checked, bounded and typed. */
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod';
import type { Digest } from '../core/lockstep/digest.ts';
import {
  CheckpointSchema,
  ClockSchema,
  LeaderboardSchema,
  PeerSchema,
  RefusalsSchema,
  SamplesSchema,
  SignedReceiptSchema,
  TicketSchema,
  WindowRecordSchema,
  WindowSummarySchema,
  type Checkpoint,
  type ClockState,
  type JoinRequest,
  type Leaderboard,
  type PeerState,
  type Refusal,
  type RevocationRequest,
  type Sample,
  type SignedReceipt,
  type Ticket,
  type TicketRequest,
  type WindowRecord,
  type WindowSummary,
} from '../core/protocol/api.ts';
import { SignedBookSchema, type SignedBook } from '../core/protocol/book.ts';
import { ChainRecordsSchema, type ChainRecord } from '../core/protocol/chain.ts';
import { SignedManifestSchema, type SignedManifest } from '../core/protocol/manifest.ts';
import type { BlobRef } from '../core/protocol/primitives.ts';
import { ProblemError } from '../core/protocol/problem.ts';
import { formatRange, PROTOCOL_HEADER, SPOKEN } from '../core/protocol/versions.ts';
import { parseBoundedJson } from '../core/wire/bounded-json.ts';
import { boundedAnswer, boundedFetch, NotUnderstoodError, UnreachableError } from './http.ts';
import { parseInSlices } from './in-slices.ts';

const JSON_TIMEOUT_MS = 15_000;
const MAX_JSON_BYTES = 16 * 2 ** 20;
/** A book grows with the peers of its window: some 4 KB each. */
const MAX_BOOK_BYTES = 64 * 2 ** 20;
const MAX_METRICS_BYTES = 8 * 2 ** 20;
/** What a store says to an upload. */
const MAX_STORE_BYTES = 64 * 1024;
/** A blob may take this long plus a second for each 32 KiB: a slow line, not a dead one. */
const BLOB_TIMEOUT_MS = 30_000;
const SLOWEST_BYTES_PER_MS = 32;

/** Said with what is to be changed, and with nothing else: a page of another origin would have to ask first, each time. */
const SPEAKING = { [PROTOCOL_HEADER]: formatRange(SPOKEN) };

export interface ValidatorApi {
  run(signal?: AbortSignal): Promise<SignedManifest>;
  clock(signal?: AbortSignal): Promise<ClockState>;
  checkpoint(signal?: AbortSignal): Promise<Checkpoint>;
  leaderboard(signal?: AbortSignal): Promise<Leaderboard>;
  peer(hotkey: string, signal?: AbortSignal): Promise<PeerState>;
  window(window: number, signal?: AbortSignal): Promise<WindowRecord>;
  /** What a published window's judgement is recomputed from. The signature is not checked here. */
  book(window: number, signal?: AbortSignal): Promise<SignedBook>;
  /** Uploads of a window that were refused, oldest first. */
  refusals(window: number, signal?: AbortSignal): Promise<Refusal[]>;
  /** Oldest first. */
  windows(from: number, limit: number, signal?: AbortSignal): Promise<WindowSummary[]>;
  /** What the model went on with after the same prompts, oldest first. */
  samples(signal?: AbortSignal): Promise<Sample[]>;
  /** What the validator recorded of a hotkey on the run's chain, oldest first. */
  chainRecords(hotkey: string, limit: number, signal?: AbortSignal): Promise<ChainRecord[]>;
  /** Why the validator cannot serve now, in a sentence; null when it can. */
  readiness(signal?: AbortSignal): Promise<string | null>;
  /** The figures of an operator, in Prometheus' text format. @param token of an operator, where one is wanted */
  metrics(token?: string, signal?: AbortSignal): Promise<string>;
  join(request: JoinRequest, signal?: AbortSignal): Promise<PeerState>;
  /** Takes the session key out of force. */
  revoke(request: RevocationRequest, signal?: AbortSignal): Promise<PeerState>;
  ticket(request: TicketRequest, signal?: AbortSignal): Promise<Ticket>;
  upload(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<SignedReceipt>;
  /** A blob whose length and hash are what the reference says. @throws UnreachableError when they are not */
  blob(ref: BlobRef, signal?: AbortSignal, onProgress?: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>>;
}

/** SHA-256 by WebCrypto, which is several times faster than JavaScript. */
export const webDigest: Digest = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return bytesToHex(await webDigest(bytes));
}

export function createValidatorApi({
  baseUrl,
  fetch: fetchImpl,
}: {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
}): ValidatorApi {
  const resolve = (path: string): string => new URL(path, baseUrl).href;

  async function json<T>(
    schema: z.ZodType<T> | ((value: unknown) => Promise<T>),
    path: string,
    request: {
      signal?: AbortSignal | undefined;
      body?: unknown;
      put?: Uint8Array<ArrayBuffer>;
      timeoutMs?: number;
      maxBytes?: number;
    } = {},
  ): Promise<T> {
    const { bytes, ours } = await boundedAnswer(fetchImpl, resolve(path), {
      ...(request.body === undefined
        ? {}
        : {
            method: 'POST',
            body: JSON.stringify(request.body),
            headers: { ...SPEAKING, 'content-type': 'application/json' },
          }),
      ...(request.put === undefined
        ? {}
        : { method: 'PUT', body: request.put, headers: { ...SPEAKING, 'content-type': 'application/octet-stream' } }),
      maxBytes: request.maxBytes ?? MAX_JSON_BYTES,
      timeoutMs: request.timeoutMs ?? JSON_TIMEOUT_MS,
      signal: request.signal,
    });
    let value: unknown;
    try {
      value = parseBoundedJson(bytes);
    } catch (cause) {
      throw new UnreachableError(`${path} answered something that is not JSON`, { cause });
    }
    try {
      return typeof schema === 'function' ? await schema(value) : schema.parse(value);
    } catch (cause) {
      // A proxy may be in the way for a moment; a validator says the same again.
      if (!ours) throw new UnreachableError(`${path} answered something unexpected`, { cause });
      throw new NotUnderstoodError(`The validator answered ${path} with something that this version does not know.`, {
        cause,
      });
    }
  }

  return {
    run: (signal) => json(SignedManifestSchema, '/v1/run', { signal }),
    clock: (signal) => json(ClockSchema, '/v1/clock', { signal }),
    checkpoint: (signal) => json(CheckpointSchema, '/v1/checkpoints/latest', { signal }),
    leaderboard: (signal) =>
      json((value) => parseInSlices(LeaderboardSchema, 'peers', value), '/v1/leaderboard', { signal }),
    peer: (hotkey, signal) => json(PeerSchema, `/v1/peers/${hotkey}`, { signal }),
    window: (window, signal) => json(WindowRecordSchema, `/v1/windows/${window}`, { signal }),
    book: (window, signal) =>
      json(SignedBookSchema, `/v1/windows/${window}/book`, { signal, maxBytes: MAX_BOOK_BYTES }),
    refusals: (window, signal) => json(RefusalsSchema, `/v1/windows/${window}/refusals`, { signal }),
    windows: (from, limit, signal) =>
      json(WindowSummarySchema.array(), `/v1/windows?from=${from}&limit=${limit}`, { signal }),
    samples: (signal) => json(SamplesSchema, '/v1/samples', { signal }),
    chainRecords: (hotkey, limit, signal) =>
      json(ChainRecordsSchema, `/v1/chain/records/${hotkey}?limit=${limit}`, { signal }),
    async readiness(signal) {
      try {
        await json(z.object({ status: z.literal('ready') }), '/readyz', { signal });
        return null;
      } catch (error) {
        if (error instanceof ProblemError && error.key === 'not-ready') return error.message;
        throw error;
      }
    },
    async metrics(token, signal) {
      const bytes = await boundedFetch(fetchImpl, resolve('/metrics'), {
        ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
        maxBytes: MAX_METRICS_BYTES,
        timeoutMs: JSON_TIMEOUT_MS,
        signal,
      });
      return new TextDecoder().decode(bytes);
    },
    join: (request, signal) => json(PeerSchema, '/v1/peers', { signal, body: request }),
    revoke: (request, signal) =>
      json(PeerSchema, `/v1/peers/${request.revocation.hotkey}/revocation`, { signal, body: request }),
    ticket: (request, signal) =>
      json(TicketSchema, `/v1/windows/${request.ticket.window}/contributions`, { signal, body: request }),
    async upload(ticket, bytes, signal) {
      const timeoutMs = BLOB_TIMEOUT_MS + bytes.length / SLOWEST_BYTES_PER_MS;
      if (!ticket.store) return json(SignedReceiptSchema, ticket.url, { signal, put: bytes, timeoutMs });
      const { url, headers } = ticket.store;
      await boundedFetch(fetchImpl, url, { method: 'PUT', body: bytes, headers, maxBytes: MAX_STORE_BYTES, timeoutMs, signal }); // prettier-ignore
      // The validator reads the bytes before it answers.
      return json(SignedReceiptSchema, ticket.url, { signal, body: {}, timeoutMs });
    },
    async blob(ref, signal, onProgress) {
      const bytes = await boundedFetch(fetchImpl, resolve(`/v1/blobs/${ref.sha256}`), {
        maxBytes: ref.bytes,
        timeoutMs: BLOB_TIMEOUT_MS + ref.bytes / SLOWEST_BYTES_PER_MS,
        signal,
        onProgress,
      });
      if (bytes.length !== ref.bytes || (await sha256Hex(bytes)) !== ref.sha256) {
        throw new UnreachableError(`blob ${ref.sha256} arrived with other bytes than its hash says`);
      }
      return bytes;
    },
  };
}
