/** What each attack is called and does, for people. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import type { DemoAttack } from '../../workers/demo/demo-api.ts';

interface AttackText {
  readonly attack: DemoAttack;
  readonly name: MessageDescriptor;
  /** A sentence. */
  readonly does: MessageDescriptor;
}

/** In the order in which they are shown: the most harmful first. */
export const ATTACK_TEXTS: readonly AttackText[] = [
  { attack: 'sign-flip', name: msg`Poisoner`, does: msg`Trains honestly and uploads the opposite direction.` },
  { attack: 'copy-verbatim', name: msg`Copycat`, does: msg`Uploads the best peer’s message of the window before.` },
  { attack: 'noise', name: msg`Noise`, does: msg`Trains nothing and uploads a random direction.` },
  { attack: 'zeros', name: msg`Lazy`, does: msg`Trains nothing and uploads a message of zeros.` },
  {
    attack: 'own-easy-data',
    name: msg`Own data`,
    does: msg`Trains the same four pages in every window, not those it was given.`,
  },
  { attack: 'late', name: msg`Late`, does: msg`Uploads a second after the time for it is over.` },
  { attack: 'stale-model', name: msg`Stale model`, does: msg`Trains the first model for ever and claims the newest.` },
  { attack: 'malformed-bytes', name: msg`Malformed`, does: msg`Uploads bytes that no validator can read.` },
  { attack: 'intermittent', name: msg`Now and then`, does: msg`Trains honestly, and is away every other window.` },
];
