/** A compressor in this process's memory: the scheme's own contributor, fed with what the engine holds. */
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Compressor, Trainer } from './engine.ts';

type HostTrainer = Pick<Trainer, 'takeGradient' | 'discardGradient' | 'readParameters' | 'setParameters'> & {
  /** Whether a gradient is accumulated. */
  readonly hasGradient: () => boolean;
};

export function createHostCompressor(scheme: Scheme, trainer: HostTrainer): Compressor {
  const contributor = scheme.createContributor();
  /** The window's parameters, and where the local steps have led; undefined before the first of a window. */
  let local: { readonly start: Float32Array<ArrayBuffer>; readonly now: Float32Array<ArrayBuffer> } | undefined;

  async function localStep(window: number): Promise<void> {
    if (!contributor.localStep) throw new Error(`${scheme.name} has no local steps`);
    const gradient = await trainer.takeGradient();
    const start = local?.start ?? (await trainer.readParameters());
    const now = local?.now ?? start.slice();
    contributor.localStep(now, gradient, window);
    local = { start, now };
    await trainer.setParameters(now);
  }

  /** The parameters are those of the window again. @returns how far the local steps had moved them, θ - θ_local */
  async function takePseudoGradient(): Promise<Float32Array<ArrayBuffer>> {
    if (!local) throw new Error('no gradient was accumulated');
    const { start, now } = local;
    local = undefined;
    await trainer.setParameters(start);
    return start.map((value, i) => value - now[i]!);
  }

  return {
    localStep,
    async compress(window) {
      const rate = scheme.learningRate(window);
      if (!scheme.localSteps) return contributor.compress(await trainer.takeGradient(), rate);
      if (trainer.hasGradient()) await localStep(window);
      return contributor.compress(await takePseudoGradient(), rate);
    },
    async discard() {
      await trainer.discardGradient();
      if (local) await takePseudoGradient();
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
