/** What lies in this browser, in words, and what it costs to clear it. */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import type { StoredKind } from '../../workers/shared/stored-contents.ts';

export interface KindInWords {
  readonly name: MessageDescriptor;
  readonly what: MessageDescriptor;
  readonly cost: MessageDescriptor;
}

export const KINDS: Readonly<Record<StoredKind, KindInWords>> = {
  checkpoint: {
    name: msg`The model`,
    what: msg`Its parameters as of the newest checkpoint, in pieces.`,
    cost: msg`Training stops, and the model is downloaded again at the next start.`,
  },
  steps: {
    name: msg`Updates of the model`,
    what: msg`The outer steps since that checkpoint.`,
    cost: msg`Training stops, and the updates are downloaded again at the next start.`,
  },
  text: {
    name: msg`Pages of text`,
    what: msg`What your tab trained on lately, the list of all pages, and the tokenizer.`,
    cost: msg`Training stops, and pages are downloaded again as they are needed.`,
  },
  optimiser: {
    name: msg`Memory of your training`,
    what: msg`Momentum and error feedback: what your tab found out and has not sent yet.`,
    cost: msg`Training stops, and what was not sent yet is lost. The next contributions may be weaker; your score stays.`,
  },
  'guest-key': {
    name: msg`Guest key`,
    what: msg`The key that this browser made. Your rank, rating and receipts hang on it.`,
    cost: msg`Nobody can bring this key back, not even you. Training stops, a new key is made, and you begin as a newcomer.`,
  },
  'wallet-keys': {
    name: msg`Keys that wallets delegated to`,
    what: msg`The session keys in this browser, with what wallets signed for them.`,
    cost: msg`Training stops, and your wallet has to sign again. The validator still knows the old key: to have it refused, revoke the delegation instead.`,
  },
};
