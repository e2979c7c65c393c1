/** What a window costs a contributor besides its steps: making the message, and taking the outer step. */
import type { Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { parameterLayout } from '../core/model/layout.ts';
import type { DecoupledMomentumParameters } from '../core/protocol/manifest.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Trainer } from '../engine/engine.ts';
import type { WindowCost } from './contender.ts';

/** @param settle waits until the device has done what was queued */
export async function windowCost(
  trainer: Trainer,
  config: ModelConfig,
  parameters: DecoupledMomentumParameters,
  batch: Batch,
  settle: () => Promise<unknown>,
): Promise<WindowCost> {
  const scheme = createScheme(parameters, parameterLayout(config));
  const compressor = await trainer.createCompressor(scheme);
  const learningRate = scheme.learningRate(1);
  const compress = async (): Promise<{ body: Uint8Array<ArrayBuffer>; ms: number }> => {
    await trainer.accumulate(batch);
    const begun = performance.now();
    const body = await compressor.compress(1);
    return { body, ms: performance.now() - begun };
  };
  // The first one compiles.
  await compress();
  const { body, ms: compressMs } = await compress();
  const step = scheme.outerStep([scheme.decodeBody(body)], learningRate);
  await trainer.applyStep(step);
  await settle();
  const begun = performance.now();
  await trainer.applyStep(step);
  await settle();
  return { compressMs, applyMs: performance.now() - begun };
}
