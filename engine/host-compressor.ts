/** A compressor in this process's memory: the scheme's own contributor, fed with the engine's gradient. */
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Compressor, Trainer } from './engine.ts';

export function createHostCompressor(scheme: Scheme, { takeGradient }: Pick<Trainer, 'takeGradient'>): Compressor {
  const contributor = scheme.createContributor();
  return {
    async compress(learningRate) {
      return contributor.compress(await takeGradient(), learningRate);
    },
    async undo() {
      await Promise.resolve();
      contributor.undo();
    },
    stateBytes: contributor.stateBytes,
    async saveState() {
      return Promise.resolve(contributor.saveState());
    },
    async loadState(bytes) {
      await Promise.resolve();
      contributor.loadState(bytes);
    },
  };
}
