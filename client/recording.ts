/** Recordings: made of a validator's public API, and to and from the bytes of a file. */
import {
  MAX_RECORDED_WINDOWS,
  RECORDING_VERSION,
  RecordingSchema,
  type RecordedPeer,
  type RecordedWindow,
  type Recording,
} from '../core/protocol/recording.ts';
import { ProblemError } from '../core/protocol/problem.ts';
import { parseBoundedJson } from '../core/wire/bounded-json.ts';
import type { ValidatorApi } from './api.ts';

/** Bytes of a file, and of what it unfolds to: what a tab bears. */
export const MAX_RECORDING_BYTES = 64 * 2 ** 20;
const MAX_UNPACKED_BYTES = 512 * 2 ** 20;
const WINDOWS_A_REQUEST = 500;
const GZIP = [0x1f, 0x8b] as const;

/** What was given is no recording that can be shown; the message says why, and what would be. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export interface RecordOptions {
  /** The newest so many windows; all by default. */
  readonly windows?: number;
  readonly labels?: Recording['labels'];
  readonly onProgress?: (done: number, all: number) => void;
  /** When it is made. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** @throws RecordingError when no window was published yet; else as the API does */
export async function recordRun(api: ValidatorApi, options: RecordOptions): Promise<Recording> {
  const { signal } = options;
  const run = await api.run(signal);
  const newest = (await api.clock(signal)).window - 1;
  const count = Math.min(newest, options.windows ?? newest);
  if (count < 1)
    throw new RecordingError('No window has been published yet: there is something to record after the first.');
  if (count > MAX_RECORDED_WINDOWS) {
    throw new RecordingError(`A recording has at most ${MAX_RECORDED_WINDOWS} windows: ask for the newest ones.`);
  }
  const first = newest - count + 1;
  const windows: RecordedWindow[] = [];
  while (windows.length < count) {
    const from = first + windows.length;
    const summaries = await api.windows(from, Math.min(WINDOWS_A_REQUEST, first + count - from), signal);
    if (summaries[0]?.window !== from) throw new RecordingError(`The validator has no record of window ${from}.`);
    for (const summary of summaries) {
      const { window } = summary;
      windows.push({ summary, book: await api.book(window, signal), refusals: await api.refusals(window, signal) });
      options.onProgress?.(windows.length, count);
    }
  }
  const peers: RecordedPeer[] = [];
  for (const { hotkey } of (await api.leaderboard(signal)).peers) {
    const { uid, firstWindow, delegation } = await api.peer(hotkey, signal);
    const { issuedAt, expiresAt } = delegation;
    peers.push({ hotkey, uid, firstWindow, delegation: { issuedAt, expiresAt } });
  }
  return {
    format: 'gauntlet-recording',
    version: RECORDING_VERSION,
    recordedAt: new Date(options.now()).toISOString(),
    run,
    windows,
    peers,
    samples: (await samplesOf(api, signal)).filter(({ window }) => window <= newest + 1),
    labels: options.labels ?? [],
  };
}

/** Validators before samples have none. */
async function samplesOf(api: ValidatorApi, signal: AbortSignal | undefined): Promise<Recording['samples']> {
  try {
    return await api.samples(signal);
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return [];
    throw error;
  }
}

/** Gzipped JSON. */
export async function packRecording(recording: Recording): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([JSON.stringify(recording)]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/**
 * Reads a file's bytes. Also as plain JSON: some servers unpack what ends in `.gz` on its way.
 *
 * @throws RecordingError for anything that is no recording, or is larger than a tab bears
 */
export async function unpackRecording(bytes: Uint8Array<ArrayBuffer>): Promise<Recording> {
  if (bytes.length > MAX_RECORDING_BYTES) throw new RecordingError(tooLarge(MAX_RECORDING_BYTES));
  const packed = GZIP.every((byte, i) => bytes[i] === byte);
  let json: unknown;
  try {
    json = parseBoundedJson(packed ? await unzip(bytes) : bytes);
  } catch (cause) {
    if (cause instanceof RecordingError) throw cause;
    throw new RecordingError('This file is no recording: make one with `npx gauntlet record`.', { cause });
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > RECORDING_VERSION) {
    throw new RecordingError(
      `This recording is of version ${version}, newer than this page: reload the page, or update it.`,
    );
  }
  const parsed = RecordingSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RecordingError(`This file is no recording: ${issue!.path.join('.')}: ${issue!.message}.`);
  }
  return parsed.data;
}

const tooLarge = (bytes: number): string =>
  `This recording is larger than the ${bytes / 2 ** 20} MiB that a tab can show: record fewer windows.`;

/** Counts as it unpacks: a few kilobytes can unfold to gigabytes. */
async function unzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const chunk = next.value;
    chunks.push(chunk);
    total += chunk.length;
    if (total > MAX_UNPACKED_BYTES) {
      await reader.cancel();
      throw new RecordingError(tooLarge(MAX_UNPACKED_BYTES));
    }
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
