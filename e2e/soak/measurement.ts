/** One measurement of a soak. */
import type { Stored } from './stored.ts';
import type { Heap, WorkerHeap } from './targets.ts';

export interface Measurement {
  readonly window: number;
  /** Since the beginning. */
  readonly seconds: number;
  /** Contributions that the validator accepted so far. */
  readonly delivered: number;
  /** What the app said when it could not go on, since the measurement before. */
  readonly failures: readonly string[];
  readonly page: Heap & { readonly nodes: number; readonly listeners: number };
  /** Undefined while one takes another’s place. */
  readonly trainer: WorkerHeap | undefined;
  /** Memory of the browser’s renderers that is their own. */
  readonly rendererBytes: number;
  readonly stored: Stored;
  readonly validator: Heap & { readonly ownBytes: number };
}
