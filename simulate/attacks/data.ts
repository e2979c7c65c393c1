/** Attacks on what is trained. */
import type { Batch } from '../../core/data/batch.ts';
import type { Trainer } from '../../engine/engine.ts';
import type { Attack } from './attack.ts';
import { distortsGradients } from './forging.ts';

const EASY_PAGES = 4;

export const ownEasyData: Attack = {
  title: 'Own easy data',
  does: 'Trains the same four pages in every window instead of those assigned.',
  pays: 'They are held already, learnt already, and need no download.',
  expected: {
    because: 'Its assigned pages gain no more than others, so μ stays near 0.',
    weight: 'less',
    fails: 'proof-of-computation',
  },
  behaviour: () => ({ choosePages: (assigned) => assigned.map((_, i) => i % EASY_PAGES) }),
};

const OVERFIT_PAGES = 2;
const PASSES = 12;
/** How far a pass goes, relative to the length of the parameters: much farther than a window's step. */
const PASS_LENGTH = 0.05;

const length = (vector: Float32Array): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

/** How far many long steps on the same batches lead away from the parameters, which stay. */
async function overfit(trainer: Trainer, batches: readonly Batch[]): Promise<Float32Array<ArrayBuffer>> {
  const start = await trainer.readParameters();
  const stepLength = PASS_LENGTH * length(start);
  const moved = start.slice();
  for (let pass = 0; pass < PASSES; pass++) {
    for (const batch of batches) await trainer.accumulate(batch);
    const gradient = await trainer.takeGradient();
    const rate = stepLength / (length(gradient) || 1);
    gradient.forEach((value, i) => (moved[i]! -= rate * value));
    await trainer.setParameters(moved);
  }
  await trainer.setParameters(start);
  return start.map((value, i) => value - moved[i]!);
}

export const overfitAssigned: Attack = {
  title: 'Overfit on the assigned',
  does: 'Trains two of its pages, twelve long steps each window, and nothing else.',
  pays: 'It wins every comparison of assigned against random pages.',
  expected: {
    because: 'The rating goes by random pages alone, and these gain less than from honest work.',
    weight: 'less',
    fails: null,
  },
  behaviour: () => ({
    choosePages: (assigned) => assigned.slice(0, OVERFIT_PAGES),
    ...distortsGradients(overfit),
  }),
};
