/** Attacks on the direction of the step. */
import type { Behaviour } from '../../client/behaviour.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { Attack } from './attack.ts';
import { distorts, invents } from './forging.ts';

/** A direction that says nothing about the data. */
function randomDirection(seed: string): Behaviour {
  const random = createRandom(seedFrom('direction', seed));
  return invents((work) => work.map(() => random.uniform() - 0.5));
}

export const noise: Attack = {
  title: 'Noise',
  does: 'Uploads a random direction in a valid message.',
  pays: 'It costs no training.',
  expected: { because: 'It does not lower the loss, so it loses every match.', weight: 'none', fails: 'loss' },
  behaviour: ({ seed }) => randomDirection(seed),
};

export const zeros: Attack = {
  title: 'Zeros',
  does: 'Uploads a valid message of zeros.',
  pays: 'It costs no training and can do no harm that would show.',
  expected: { because: 'It lowers no loss: a gain of zero does not count as one.', weight: 'none', fails: 'loss' },
  behaviour: () => invents((work) => work.fill(0)),
};

export const rescale: Attack = {
  title: 'Rescale x 1000',
  does: 'Trains honestly and uploads a thousand times the result.',
  pays: 'In a plain mean it alone would decide the step.',
  expected: {
    because: 'Messages are normalised or clipped, so its size changes nothing and its work is honest.',
    weight: 'honest',
    fails: null,
  },
  behaviour: () => distorts((work) => work.map((value) => 1_000 * value)),
};

export const signFlip: Attack = {
  title: 'Sign flip',
  does: 'Trains honestly and uploads the opposite direction.',
  pays: 'It is the most harmful message of its size.',
  expected: { because: 'The loss rises when it is tried.', weight: 'none', fails: 'loss' },
  behaviour: () => distorts((work) => work.map((value) => -value)),
};

/** The same for all of them, whatever the seed. */
const COMMON_DIRECTION = 'the direction that colluders push';

export const colludingMinority: Attack = {
  title: 'Colluding minority',
  does: 'Several identities upload the same made-up direction.',
  pays: 'Where noise averages out, they add up.',
  expected: {
    because: 'Each alone does not lower the loss, and agreement is not rewarded.',
    weight: 'none',
    fails: 'loss',
  },
  behaviour: () =>
    invents((work) => {
      const random = createRandom(seedFrom('direction', COMMON_DIRECTION));
      return work.map(() => random.uniform() - 0.5);
    }),
};

export const alternating: Attack = {
  title: 'Honest and lazy in turn',
  does: 'Trains honestly in odd windows and uploads noise in even ones.',
  pays: 'Half the work, if a reputation lasts over the windows in between.',
  expected: {
    because: 'Matches are drawn after the upload, and half of them are lost.',
    weight: 'less',
    fails: 'loss',
  },
  behaviour({ seed }) {
    const random = createRandom(seedFrom('direction', seed));
    const isLazy = (window: number): boolean => window % 2 === 0;
    return {
      ...distorts((work, window) => (isLazy(window) ? work.map(() => random.uniform() - 0.5) : work)),
      // A page has to be trained for there to be something to compress.
      choosePages: (assigned, _trainPages, window) => (isLazy(window) ? assigned.slice(0, 1) : assigned),
    };
  },
};
