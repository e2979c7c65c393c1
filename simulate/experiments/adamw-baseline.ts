/** What Gauntlet's runs are compared with: AdamW on one machine that has all data and exchanges nothing. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { decodePageIndex, pageBatch, pageFormat } from '../../core/data/pages.ts';
import { PRESETS, type PresetName } from '../../core/model/presets.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import { adamStep, type AdamMoments } from '../../core/scheme/sparseloco/adamw.ts';
import { createNodeEvaluator, createNodeTrainer } from '../../engine/node.ts';
import { heldOutPages } from '../../validator/rounds/losses.ts';
import { createRunArtefacts } from '../../validator/setup/create-artefacts.ts';
import { DEFAULT_CACHE } from '../../validator/setup/data-cache.ts';

export interface AdamWOptions {
  readonly preset: PresetName;
  /** As an experiment's: the same seed starts from the same parameters. */
  readonly seed: string;
  readonly rounds: number;
  readonly pagesPerRound: number;
  /** Steps that a round's pages are shared among. */
  readonly stepsPerRound: number;
  readonly learningRate: number;
}

/** @returns the loss on the held-out pages, nats a token, before the first round and after each */
export async function trainWithAdamW(options: AdamWOptions): Promise<number[]> {
  const { preset, seed, rounds, pagesPerRound, stepsPerRound, learningRate } = options;
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const { manifest, initialParameters: parameters } = await createRunArtefacts({
    preset,
    seed: new TextEncoder().encode(seed),
    cacheDir: DEFAULT_CACHE,
    blobs: {
      put(bytes) {
        const hash = bytesToHex(sha256(bytes));
        blobs.set(hash, bytes);
        return Promise.resolve({ sha256: hash, bytes: bytes.length });
      },
    },
  });
  const format = pageFormat(manifest);
  const hashes = decodePageIndex(blobs.get(manifest.data.index.sha256)!, manifest.data.pages);
  const batch = (page: number): ReturnType<typeof pageBatch> => pageBatch(blobs.get(hashes[page]!)!, format);
  const train = hashes.length - manifest.data.heldOutPages;
  const shape = { config: manifest.model, sequences: manifest.data.pageSequences, intraOpThreads: 1 };
  const trainer = await createNodeTrainer(shape);
  const evaluator = await createNodeEvaluator(shape);
  await trainer.setParameters(parameters);
  const moments: AdamMoments = {
    steps: 0,
    first: new Float32Array(parameters.length),
    second: new Float32Array(parameters.length),
  };
  const random = createRandom(seedFrom('adamw', seed));
  const held = heldOutPages({ pages: { format, train }, manifest });

  async function heldOutLoss(): Promise<number> {
    await evaluator.setParameters(parameters);
    let sum = 0;
    let count = 0;
    for (const page of held) {
      const loss = await evaluator.loss(batch(page));
      sum += loss.sum;
      count += loss.count;
    }
    return sum / count;
  }

  const losses = [await heldOutLoss()];
  for (let round = 0; round < rounds; round++) {
    const pages = random.sample(train, pagesPerRound);
    for (let step = 0; step < stepsPerRound; step++) {
      for (const page of pages.filter((_, i) => i % stepsPerRound === step)) await trainer.accumulate(batch(page));
      const gradient = await trainer.takeGradient();
      adamStep(moments, parameters, gradient, PRESETS[preset].schemes.sparseloco.inner, learningRate);
      await trainer.setParameters(parameters);
    }
    losses.push(await heldOutLoss());
  }
  await Promise.all([trainer.dispose(), evaluator.dispose()]);
  return losses;
}
