/** An attack on identity. */
import type { Attack } from './attack.ts';
import { noise } from './directions.ts';

export const uidTakeover: Attack = {
  title: 'Uid takeover',
  does: 'Waits outside a full run, takes the uid of a good peer that has left, and uploads noise under it.',
  pays: 'In the reference the newcomer inherits the rating of whoever had the uid before.',
  expected: { because: 'A newcomer starts afresh, whatever its number.', weight: 'none', fails: 'loss' },
  // Waiting is what an honest newcomer does too: it asks again until it is let in.
  behaviour: noise.behaviour,
};
