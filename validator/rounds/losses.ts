/** Mean losses on pages of the run. */
import type { LossSum } from '../../engine/engine.ts';
import type { RunContext } from './context.ts';
import { CorruptRunError } from './corrupt-run.ts';
import { inLanes } from './in-lanes.ts';
import type { BlobStore, JudgeEngine, Trial } from './ports.ts';

/** Held-out sequences that the run's loss is measured on, at most: the same ones every window. */
const MAX_HELD_OUT_SEQUENCES = 32;

export interface LossMeter {
  /** Mean next-token cross-entropy of θ, or of a trial, on each set of pages, nats a token. */
  on(sets: readonly (readonly number[])[], trial?: Trial): Promise<number[]>;
  /** Of θ on the run's fixed held-out pages. */
  heldOut(): Promise<number>;
}

/** The pages that the run's own loss is measured on. */
export function heldOutPages({
  pages,
  manifest,
}: {
  readonly pages: Pick<RunContext['pages'], 'format' | 'train'>;
  readonly manifest: Pick<RunContext['manifest'], 'data'>;
}): number[] {
  const count = Math.max(1, Math.floor(MAX_HELD_OUT_SEQUENCES / pages.format.sequences));
  return Array.from({ length: Math.min(count, manifest.data.heldOutPages) }, (_, i) => pages.train + i);
}

function mean(losses: readonly LossSum[]): number {
  let sum = 0;
  let count = 0;
  for (const loss of losses) {
    sum += loss.sum;
    count += loss.count;
  }
  return sum / count;
}

export function createLossMeter(
  context: Pick<RunContext, 'pages' | 'manifest'>,
  blobs: Pick<BlobStore, 'read'>,
  engine: JudgeEngine,
): LossMeter {
  const { hashes } = context.pages;

  async function read(page: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await blobs.read(hashes[page]!);
    if (!bytes) throw new CorruptRunError(`page ${page} (blob ${hashes[page]!}) is missing`);
    return bytes;
  }

  return {
    async on(sets, trial) {
      const losses = await engine.losses(await Promise.all(sets.flat().map(read)), trial);
      let start = 0;
      return sets.map(({ length }) => mean(losses.slice(start, (start += length))));
    },
    async heldOut() {
      // Page by page, so that every lane has its part; the sum is in the order of the pages all the same.
      const parts = await inLanes(heldOutPages(context), engine.lanes, async (page) =>
        engine.losses([await read(page)]),
      );
      return mean(parts.flat());
    },
  };
}
