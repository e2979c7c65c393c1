/**
 * Contributions as honest peers upload them, but for the gradient: what each chunk keeps is drawn, a draw of its own for
 * every peer and window. Everything that a check looks at is right: shapes, root, sync sample, pages, signature.
 */
import { assignedPages, sampleDigest } from '../../core/data/assignment.ts';
import { syncPositions } from '../../core/gauntlet/sync.ts';
import type { Signer } from '../../core/identity/signing.ts';
import { chunkGrid } from '../../core/numerics/chunks.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { quantise } from '../../core/numerics/quantise.ts';
import type { ClockState } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import { BINS, encodeBody } from '../../core/scheme/decoupled-momentum/body.ts';
import type { Scheme } from '../../core/scheme/scheme.ts';
import { encodeContribution } from '../../core/wire/contribution.ts';

export interface ContributionMaker {
  /** @param parameters those of the clock's window */
  make(
    clock: ClockState,
    peer: { readonly hotkey: string; readonly signer: Signer },
    parameters: Float32Array,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** @throws RangeError for a scheme whose bodies are not written here */
export function createContributionMaker(
  manifest: RunManifest,
  scheme: Scheme,
  pages: { readonly train: number; readonly hashes: readonly string[] },
): ContributionMaker {
  const { scheme: constants } = manifest;
  if (constants.name !== 'decoupled-momentum') throw new RangeError(`no bodies of ${constants.name} are written here`);
  const grids = scheme.layout.parameters.map((spec) => chunkGrid(spec, constants.chunk, constants.topK));
  const total = grids.reduce((sum, { count, kept }) => sum + count * kept, 0);

  function body(seed: Uint8Array): Uint8Array<ArrayBuffer> {
    const random = createRandom(seed, 'gradient');
    const { codes, ...quantiser } = quantise(
      Float32Array.from({ length: total }, () => random.uniform() - 0.5),
      BINS,
    );
    let at = 0;
    const tensors = grids.map(({ count, kept, length }) => {
      const indices = new Uint16Array(count * kept);
      for (let chunk = 0; chunk < count; chunk++) {
        indices.set(Uint16Array.from(random.sample(length, kept)).sort(), chunk * kept);
      }
      return { indices, codes: codes.subarray(at, (at += count * kept)) };
    });
    return encodeBody(grids, quantiser, tensors);
  }

  return {
    make(clock, { hotkey, signer }, parameters) {
      const { run, window, stateRoot: root, assignmentSeed } = clock;
      const { pagesPerWindow } = manifest.training;
      const assigned = assignedPages(assignmentSeed, hotkey, pages.train, pagesPerWindow);
      return encodeContribution(
        {
          run,
          window,
          hotkey,
          scheme: scheme.name,
          root,
          pagesTrained: assigned.length,
          sampleDigest: sampleDigest(assigned.map((page) => pages.hashes[page]!)),
          trainLoss: 8,
          syncSample: syncPositions(window, hotkey, scheme.layout).map((position) => parameters[position]!),
        },
        body(seedFrom('load', window, hotkey)),
        signer,
      );
    },
  };
}
