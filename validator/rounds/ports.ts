/** What the rounds need from the place they run in. Adapters implement these in Node; a tab or a test brings its own. */
import type { OverlapSearch, OverlapSketch } from '../../core/gauntlet/overlap-search.ts';
import type { ContributionHeader } from '../../core/protocol/contribution.ts';
import type { ChainState } from '../../core/protocol/chain.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import type { LossSum } from '../../engine/engine.ts';
import type { TicketRow } from './store.ts';

export interface Clock {
  /** Milliseconds since the epoch: the only clock that deadlines are measured by. */
  now(): number;
  /** Resolves after `ms`. @throws the signal's reason when aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Public content-addressed blobs: immutable, anyone may read them. */
export interface BlobStore {
  /** Bytes of a blob, undefined when it is not held. */
  size(sha256: string): Promise<number | undefined>;
  /** The whole blob, undefined when it is not held. */
  read(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Bytes [start, end) of a blob as a stream, undefined when it is not held. */
  stream(sha256: string, start: number, end: number): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Stores durably under the bytes' own hash; storing again is harmless. */
  put(bytes: Uint8Array): Promise<BlobRef>;
  /** An address that anybody may fetch a held blob from for a while, where there is one besides this process. */
  locate?(sha256: string): Promise<string>;
}

/** An upload whose bytes nobody else can change. Nothing of it is visible before `seal`. */
export interface HeldUpload {
  /** Everything that came so far. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes it durable under its hash. */
  seal(sha256: string): Promise<void>;
  /** Forgets it; harmless after `seal`. */
  discard(): Promise<void>;
}

/** An upload that is arriving. */
export interface StagedUpload extends HeldUpload {
  /** Appends in order. */
  write(chunk: Uint8Array): Promise<void>;
}

/** A request by which a peer sends its bytes to the store itself. */
export interface DirectPut {
  readonly url: string;
  /** To be sent as they are: the signature in the address covers them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a peer put into the store, now out of its reach. */
export interface ArrivedUpload {
  readonly held: HeldUpload;
  readonly bytes: number;
  /** By the store's clock, off by `resolutionMs` at most: some round up. Milliseconds since the epoch. */
  readonly arrivedAt: number;
  readonly resolutionMs: number;
}

/** For a store that peers reach without this process. */
export interface DirectUploads {
  /** @param expiresAt milliseconds since the epoch */
  permit(ticket: Pick<TicketRow, 'id' | 'bytes' | 'sha256'>, expiresAt: number): Promise<DirectPut>;
  /** @returns undefined when nothing came, or something else came at this moment */
  collect(id: string): Promise<ArrivedUpload | undefined>;
  /** Forgets what came for a ticket; harmless when nothing did. */
  forget(id: string): Promise<void>;
}

/** Uploads between their arrival and their publication. Nobody but the judge reads them. */
export interface SealedUploads {
  /** Either this process takes the bytes, … */
  begin?(): Promise<StagedUpload>;
  /** … or the store does. */
  readonly direct?: DirectUploads;
  read(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Makes sealed bytes a public blob; doing it again is harmless. */
  publish(sha256: string): Promise<void>;
  /** Forgets sealed bytes that are public by now; doing it again is harmless. */
  release(sha256: string): Promise<void>;
  /** Deletes what of half-arrived uploads nobody is working on, and such sealed ones as are not listed. */
  clean(keep: ReadonlySet<string>): Promise<void>;
}

/** A contribution's bytes and the key they are signed with, in hex. */
export interface SignedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sessionKey: string;
}

/** Parameters and what they are called. */
export interface ModelState {
  readonly root: string;
  /** Flat fp32 vector [layout.total]. Nobody writes to it. */
  readonly parameters: Float32Array<ArrayBuffer>;
}

/** θ moved by a fraction of one contribution's step. */
export interface Trial {
  readonly contribution: SignedBytes;
  /** An exact fp32 value. */
  readonly stepSize: number;
  /** Medians of the norms of the window's contributions: a trial of one is clipped as the outer step would clip it. */
  readonly clipNorms: readonly number[] | null;
}

export interface Advance {
  /** Canonical bytes of the outer step. */
  readonly step: Uint8Array<ArrayBuffer>;
  readonly state: ModelState;
}

/** Of one contribution, small next to it. */
export interface Measures {
  /** For each tensor the norm of its values; null where the scheme clips nothing. */
  readonly norms: readonly number[] | null;
  /** Null where copies are not looked for. */
  readonly sketch: OverlapSketch | null;
}

/**
 * The arithmetic of a judgement: everything that takes longer than a request may wait. It holds θ and an evaluator,
 * and nothing of a window: what a call needs comes with it, so any call can be repeated, on a fresh engine too, and
 * gives the same bits. Bytes of contributions are given away: an engine on another thread takes them without a copy.
 */
export interface JudgeEngine {
  /** Calls worth making at once. More than these wait; `use` and `advance` must not overlap calls that need θ. */
  readonly lanes: number;
  /** Decodes and verifies the whole contribution; needs no θ. @throws ProblemError for the first thing wrong with it */
  inspect(contribution: SignedBytes): Promise<ContributionHeader>;
  /** Makes these parameters θ; free when they are already. */
  use(state: ModelState): Promise<void>;
  /** The loss of θ, or of a trial, on each page. θ is the same bits afterwards. @throws DataError for a damaged page */
  losses(pages: readonly Uint8Array<ArrayBuffer>[], trial?: Trial): Promise<LossSum[]>;
  /** What an inspected contribution is compared by. Needs no θ. @param search null where copies are not looked for */
  measure(contribution: SignedBytes, search: OverlapSearch | null): Promise<Measures>;
  /**
   * Pairs that may be copies, [i, j] with j < i, by their sketches of the same search, which are given away.
   * Needs no θ.
   */
  suspects(sketches: readonly OverlapSketch[], search: OverlapSearch): Promise<(readonly [number, number])[]>;
  /** How alike what two inspected contributions keep is, 0 … 1, in the order of the pairs. Needs no θ. */
  overlaps(
    contributions: readonly SignedBytes[],
    pairs: readonly (readonly [number, number])[],
  ): Promise<readonly number[]>;
  /** Tokens that θ goes on with after each prompt, by a fixed seed: the same θ says the same. */
  complete(prompts: readonly (readonly number[])[], maxTokens: number): Promise<number[][]>;
  /** Makes the outer step of a window from contributions, in this order, and takes it: none move nothing. */
  advance(window: number, contributions: readonly SignedBytes[]): Promise<Advance>;
  /** Frees everything, after the calls under way. */
  dispose(): Promise<void>;
}

/** What a judge engine has to know of a run. */
export interface JudgedRun {
  readonly run: string;
  readonly manifest: RunManifest;
}

export type JudgeEngineFactory = (run: JudgedRun) => JudgeEngine;

/** Structured log lines; pino's call form. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Figures for an operator's dashboards. */
export interface Metrics {
  accepted(bytes: number): void;
  refused(key: string): void;
  judged(figures: JudgedWindow): void;
  /** A judgement failed, and is tried again. */
  judgeFailed(): void;
}

/** What a published window says about itself to an operator. */
export interface JudgedWindow {
  readonly window: number;
  /** From the end of the put phase to publication. */
  readonly seconds: number;
  readonly participants: number;
  readonly aggregated: number;
  /** On the held-out pages, nats a token. */
  readonly loss: number;
  /** Contributions whose loss scores were measured. */
  readonly evaluations: number;
  /** Null when there were none, or no time passed. */
  readonly evaluationsPerMinute: number | null;
}

/** A finalised block. */
export interface FinalisedBlock {
  readonly number: number;
  /** 0x and 64 lower-case hex digits. */
  readonly hash: string;
}

/** The subnet that a run hangs on, as the rounds see it. Each question may throw what says that no node answers. */
export interface RunChain {
  /** The newest finalised block that was heard of. */
  head(): FinalisedBlock | undefined;
  onHead(listener: (head: FinalisedBlock) => void): () => void;
  /** Resolves with the newest finalised block once its number is this or more. @throws the signal's reason when aborted */
  reached(number: number, signal: AbortSignal): Promise<FinalisedBlock>;
  /** Hash of a finalised block. @throws ChainUnreachableError */
  hashOf(number: number): Promise<string>;
  /** Null for a hotkey that is not registered on the run's subnet. @throws ChainUnreachableError */
  registration(hotkey: string): Promise<{ readonly uid: number } | null>;
  /** The coldkey that owns a hotkey. @throws ChainUnreachableError */
  ownerOf(hotkey: string): Promise<string | null>;
  /** For GET /v1/chain. */
  state(): ChainState;
}

/** No node answers now; asking again later may help. */
export class ChainUnreachableError extends Error {
  override readonly name = 'ChainUnreachableError';
}

/** 32 fresh random bytes. */
export type RandomBytes = () => Uint8Array;
