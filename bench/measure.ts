/** How a trainer is timed: the same way on every backend. */
import { nextTokenBatch } from '../core/data/batch.ts';
import { initialParameters } from '../core/model/initialise.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { createRandom } from '../core/numerics/prng.ts';
import type { Trainer } from '../engine/engine.ts';
import type { Timings } from './tab-job.ts';

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Times `steps` steps after one that warms up; disposes the trainer. */
export async function measureTrainer(
  create: () => Promise<Trainer>,
  { config, steps }: { config: ModelConfig; steps: number },
): Promise<Timings & { trainer: Pick<Trainer, 'report'> }> {
  const started = performance.now();
  const trainer = await create();
  const seed = new TextEncoder().encode('bench');
  await trainer.setParameters(initialParameters(config, seed));
  const compileMs = performance.now() - started;
  const random = createRandom(seed);
  const tokens = trainer.sequences * trainer.length;
  const batch = nextTokenBatch(
    Int32Array.from({ length: tokens }, () => random.below(config.vocabSize)),
    trainer.sequences,
    trainer.length,
  );
  await trainer.accumulate(batch);
  const times: number[] = [];
  for (let step = 0; step < steps; step++) {
    const begun = performance.now();
    await trainer.accumulate(batch);
    times.push(performance.now() - begun);
  }
  await trainer.dispose();
  return { compileMs, stepMs: median(times), tokens, trainer };
}
