/** What the rounds need from the place they run in. Adapters implement these in Node; a tab or a test brings its own. */
import type { ModelConfig } from '../../core/model/config.ts';
import type { BlobRef } from '../../core/protocol/primitives.ts';
import type { Evaluator } from '../../engine/engine.ts';

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
}

/** An upload that is arriving. Nothing of it is visible before `seal`. */
export interface StagedUpload {
  /** Appends in order. */
  write(chunk: Uint8Array): Promise<void>;
  /** Everything written so far. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes it durable under its hash. */
  seal(sha256: string): Promise<void>;
  /** Forgets it; harmless after `seal`. */
  discard(): Promise<void>;
}

/** Uploads between their arrival and their publication. Nobody but the judge reads them. */
export interface SealedUploads {
  begin(): Promise<StagedUpload>;
  read(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Makes sealed bytes a public blob; doing it again is harmless. */
  publish(sha256: string): Promise<void>;
  /** Forgets sealed bytes that are public by now; doing it again is harmless. */
  release(sha256: string): Promise<void>;
  /** Deletes half-arrived uploads, and sealed ones that are not listed. */
  clean(keep: ReadonlySet<string>): Promise<void>;
}

export type EvaluatorFactory = (options: { config: ModelConfig; sequences: number }) => Promise<Evaluator>;

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
  judged(figures: { window: number; seconds: number; participants: number; aggregated: number; loss: number }): void;
}

/** 32 fresh random bytes. */
export type RandomBytes = () => Uint8Array;
