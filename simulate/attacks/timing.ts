/** Attacks on time: when to train, when to upload, and on which model. */
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { Attack } from './attack.ts';

export const late: Attack = {
  title: 'Late',
  does: 'Uploads a second after the put phase has closed.',
  pays: 'It trains longer than others, or copies what was published.',
  expected: {
    because: 'The validator’s clock decides, and refuses it: it never delivered anything.',
    weight: 'none',
    fails: null,
  },
  behaviour: () => ({ uploadAfterSeconds: ({ putSeconds }) => putSeconds + 1 }),
};

export const early: Attack = {
  title: 'Early',
  does: 'Tries to upload before the put phase opens, then again once it is open.',
  pays: 'Whoever comes first is not called a copier.',
  expected: {
    because: 'It is refused until the phase opens; then it is a peer like others.',
    weight: 'honest',
    fails: 'in-time',
  },
  behaviour: () => ({ uploadAfterSeconds: () => -1 }),
};

export const intermittent: Attack = {
  title: 'Intermittent',
  does: 'Trains honestly in half of the windows, and is absent in the others.',
  pays: 'Half the work, if a reputation lasts over the windows in between.',
  expected: {
    because: 'Each absence cuts the gate, and an absent peer that is drawn loses.',
    weight: 'less',
    fails: 'delivered',
  },
  behaviour({ seed }) {
    return {
      takesPart: (window) => window === 1 || createRandom(seedFrom('takes part', seed, window)).uniform() < 0.5,
    };
  },
};

export const staleModel: Attack = {
  title: 'Stale model',
  does: 'Trains the first model for ever, claims the newest root and guesses the sync sample.',
  pays: 'It saves the downloads.',
  expected: {
    because: 'Its sync sample drifts from the run’s by a step a window, and so do its gradients.',
    weight: 'none',
    fails: 'sync',
  },
  behaviour: ({ api }) => ({
    catchesUp: () => false,
    replaceHeader: async (header) => ({ ...header, root: (await api.clock()).stateRoot }),
  }),
};
