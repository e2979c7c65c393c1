/** Mean losses on pages of the run, by an evaluator that is given the parameters to measure. */
import { pageBatch } from '../../core/data/pages.ts';
import type { Evaluator } from '../../engine/engine.ts';
import type { RunContext } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import type { BlobStore } from './ports.ts';

/** Held-out sequences that the run's loss is measured on, at most: the same ones every window. */
const MAX_HELD_OUT_SEQUENCES = 32;

export interface LossMeter {
  /** Measures these parameters from now on. The array is not kept. */
  use(parameters: Float32Array): Promise<void>;
  /** Mean next-token cross-entropy on pages, nats a token. */
  on(pages: readonly number[]): Promise<number>;
  /** On the run's fixed held-out pages. */
  heldOut(): Promise<number>;
}

/** The pages that the run's own loss is measured on. */
export function heldOutPages({ pages, manifest }: RunContext): number[] {
  const count = Math.max(1, Math.floor(MAX_HELD_OUT_SEQUENCES / pages.format.sequences));
  return Array.from({ length: Math.min(count, manifest.data.heldOutPages) }, (_, i) => pages.train + i);
}

/** @param evaluator of batches of one page */
export function createLossMeter(context: RunContext, blobs: BlobStore, evaluator: Evaluator): LossMeter {
  const { hashes, format } = context.pages;

  async function on(pages: readonly number[]): Promise<number> {
    let sum = 0;
    let count = 0;
    for (const page of pages) {
      const bytes = await blobs.read(hashes[page]!);
      if (!bytes) throw new CorruptRunError(`page ${page} (blob ${hashes[page]!}) is missing`);
      const loss = await evaluator.loss(pageBatch(bytes, format));
      sum += loss.sum;
      count += loss.count;
    }
    return sum / count;
  }

  return {
    use: (parameters) => evaluator.setParameters(parameters),
    on,
    heldOut: () => on(heldOutPages(context)),
  };
}
