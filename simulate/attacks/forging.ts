/** Uploads whose values come from elsewhere than from training, in whatever form the run's scheme gives them. */
import type { Behaviour } from '../../client/behaviour.ts';
import type { Batch } from '../../core/data/batch.ts';
import type { Scheme } from '../../core/scheme/scheme.ts';
import type { Compressor, Trainer } from '../../engine/engine.ts';
import { createHostCompressor } from '../../engine/host-compressor.ts';

/** @param work what an honest peer would compress: the gradient, or the pseudo-gradient of local steps */
export type Forge = (work: Float32Array, window: number) => Float32Array;

type Gradient = Promise<Float32Array<ArrayBuffer>>;

/** The scheme's own contributor, which compresses something else than it is told to. */
function createForgingCompressor(
  scheme: Scheme,
  trainer: Parameters<typeof createHostCompressor>[1],
  forge: Forge,
): Compressor {
  let current = 0;
  const forging: Scheme = {
    ...scheme,
    createContributor() {
      const contributor = scheme.createContributor();
      return { ...contributor, compress: (work, rate) => contributor.compress(forge(work, current), rate) };
    },
  };
  const compressor = createHostCompressor(forging, trainer);
  return {
    ...compressor,
    compress(window) {
      current = window;
      return compressor.compress(window);
    },
  };
}

/** A trainer that knows what was accumulated since its last gradient. */
function remembers(trainer: Trainer): { own: Trainer; batches: () => readonly Batch[] } {
  let batches: Batch[] = [];
  const own: Trainer = {
    ...trainer,
    accumulate(batch) {
      batches.push(batch);
      return trainer.accumulate(batch);
    },
    takeGradient() {
      batches = [];
      return trainer.takeGradient();
    },
    discardGradient() {
      batches = [];
      return trainer.discardGradient();
    },
  };
  return { own, batches: () => batches };
}

/** Trains as everybody does and compresses what `forge` makes of it. */
export function distorts(forge: Forge): Behaviour {
  return {
    replaceTrainer(trainer) {
      const { own, batches } = remembers(trainer);
      const host = { ...own, hasGradient: () => batches().length > 0 };
      return { ...own, createCompressor: (scheme) => Promise.resolve(createForgingCompressor(scheme, host, forge)) };
    },
  };
}

/** Takes `replace` of what was accumulated for its gradient. */
export function distortsGradients(replace: (trainer: Trainer, batches: readonly Batch[]) => Gradient): Behaviour {
  return {
    replaceTrainer(trainer) {
      const { own, batches } = remembers(trainer);
      const host = {
        ...own,
        hasGradient: () => batches().length > 0,
        async takeGradient() {
          const since = batches();
          await own.discardGradient();
          return replace(trainer, since);
        },
      };
      return { ...own, createCompressor: (scheme) => Promise.resolve(createHostCompressor(scheme, host)) };
    },
  };
}

/** Trains nothing and compresses what `forge` makes of zeros. */
export function invents(forge: Forge): Behaviour {
  return {
    replaceTrainer: (trainer) => ({
      ...trainer,
      accumulate: (batch) => Promise.resolve({ sum: 0, count: batch.tokens.length }),
      createCompressor(scheme) {
        const takeGradient = (): Gradient => Promise.resolve(new Float32Array(scheme.layout.total));
        const idle = { ...trainer, takeGradient, hasGradient: () => true };
        return Promise.resolve(createForgingCompressor(scheme, idle, forge));
      },
    }),
  };
}
