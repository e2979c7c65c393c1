/** Uploads that are not what the protocol prescribes. */
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { Attack } from './attack.ts';

const REFUSED = 'It is refused where it arrives: there is nothing to evaluate or to aggregate.';

export const wrongShape: Attack = {
  title: 'Wrong shape',
  does: 'Signs a message that is shorter or longer than the model’s.',
  pays: 'A validator that reads past the end may fall over, and with it the run.',
  expected: { because: REFUSED, weight: 'none', fails: 'format' },
  behaviour: ({ seed }) => ({
    persists: true,
    replaceBody(body, { window }) {
      const other = new Uint8Array(createRandom(seedFrom('shape', seed, window)).below(2 * body.length));
      other.set(body.subarray(0, other.length));
      return Promise.resolve(other);
    },
  }),
};

export const malformedBytes: Attack = {
  title: 'Malformed bytes',
  does: 'Signs a valid message, then flips, cuts or adds bytes at random.',
  pays: 'A validator that trusts a length or an index may fall over, and with it the run.',
  expected: { because: REFUSED, weight: 'none', fails: 'format' },
  behaviour: ({ seed }) => ({
    persists: true,
    replaceUpload(bytes, { window }) {
      const random = createRandom(seedFrom('bytes', seed, window));
      const at = random.below(bytes.length);
      const kind = random.below(3);
      if (kind === 0) return bytes.slice(0, Math.max(1, at));
      const mutated = new Uint8Array(bytes.length + (kind === 1 ? 1 + random.below(64) : 0));
      mutated.set(bytes);
      mutated[at] = bytes[at]! ^ (1 + random.below(255));
      return mutated;
    },
  }),
};
