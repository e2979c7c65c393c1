/** A run's record and blobs, whose calls are timed and whose failures are counted. */
import type { BlobStore, SealedUploads } from '../rounds/ports.ts';
import type { RunStore } from '../rounds/store.ts';

/** Who hears of calls to one place. */
export interface CallObserver {
  answered(ms: number): void;
  /** The place failed, which is not to say that it refused. */
  failed(): void;
}

export interface BlobObserver extends CallObserver {
  /** A blob was put. */
  stored(bytes: number): void;
}

type Calls = Record<string, unknown>;

/** What is thrown about a question, not about the place that was asked. */
const ANSWERS = new Set(['ProblemError', 'LeaseLostError', 'RangeError', 'AbortError']);

const isFailure = (error: unknown): boolean => !(error instanceof Error && ANSWERS.has(error.name));

/** The same methods, observed; methods of what `within` names are, too. */
function observed<T extends object>(port: T, observer: CallObserver, within: readonly string[] = []): T {
  const timed =
    (call: (...args: unknown[]) => unknown, name: string) =>
    async (...args: unknown[]): Promise<unknown> => {
      const began = performance.now();
      try {
        const answer = await call(...args);
        observer.answered(performance.now() - began);
        return within.includes(name) ? observed(answer as Calls, observer) : answer;
      } catch (error) {
        if (isFailure(error)) observer.failed();
        throw error;
      }
    };
  const entries = Object.entries(port as Calls).map(([name, value]) => {
    if (typeof value === 'function') return [name, timed(value as (...args: unknown[]) => unknown, name)];
    return [name, within.includes(name) ? observed(value as Calls, observer) : value];
  });
  return Object.fromEntries(entries) as T;
}

export const observedStore = (store: RunStore, observer: CallObserver): RunStore => observed(store, observer);

/** Of a part that is there: where a store takes uploads itself there is no `begin`, and elsewhere no `direct`. */
export function observedBlobs<T extends { readonly blobs: BlobStore; readonly uploads: SealedUploads }>(
  { blobs, uploads }: T,
  observer: BlobObserver,
): Pick<T, 'blobs' | 'uploads'> {
  const timed = observed(blobs, observer);
  return {
    blobs: {
      ...timed,
      async put(bytes) {
        const ref = await timed.put(bytes);
        observer.stored(ref.bytes);
        return ref;
      },
    },
    uploads: observed(uploads, observer, ['begin', 'direct']),
  };
}
