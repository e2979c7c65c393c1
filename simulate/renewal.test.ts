/** What was signed expires while a contributor is at work, against the production validator in virtual time. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import type { ContributorEvent } from '../client/events.ts';
import { SignatureNeededError, type Identity } from '../client/identity.ts';
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex } from '../core/identity/signing.ts';
import { PRESETS } from '../core/model/presets.ts';
import type { Delegation, JoinRequest } from '../core/protocol/api.ts';
import { runExperiment, type ExperimentResult } from './experiment.ts';

const { trainSeconds, putSeconds } = PRESETS.micro.window;
const TRAIN_MS = 1_000 * trainSeconds;
const PUT_MS = 1_000 * putSeconds;
const LONG_MS = 24 * 3_600_000;

/** A hotkey's person signs for `lifeMs`, and again when asked: `answerMs` later, for long. */
function signedByHand(guest: Identity, now: () => number, { lifeMs, answerMs }: { lifeMs: number; answerMs: number }) {
  let stored: JoinRequest | undefined;
  let askedAt: number | undefined;
  async function sign(run: string, ms: number): Promise<void> {
    const signer = guest.sessionSigner;
    const delegation: Delegation = {
      run,
      hotkey: guest.hotkey,
      sessionKey: bytesToHex(signer.publicKey),
      scopes: ['contribute'],
      issuedAt: new Date(now()).toISOString(),
      expiresAt: new Date(now() + ms).toISOString(),
    };
    const signature = await signHex(signer, 'delegation', canonicalBytes(delegation));
    stored = { kind: 'guest', delegation, signature };
  }
  const identity: Identity = {
    ...guest,
    async joinRequest(run, serverNow) {
      if (!stored) await sign(run, lifeMs);
      if (askedAt !== undefined && now() >= askedAt + answerMs) await sign(run, LONG_MS);
      if (Date.parse(stored!.delegation.expiresAt) > serverNow) return stored!;
      askedAt ??= now();
      throw new SignatureNeededError('What was signed has expired.');
    },
  };
  return identity;
}

async function contribute(answer: { lifeMs: number; answerMs: number }): Promise<{
  readonly participants: ExperimentResult['windows'][number]['participants'][];
  readonly kinds: string[];
  readonly events: readonly ContributorEvent[];
}> {
  const events: ContributorEvent[] = [];
  const { windows } = await runExperiment({
    preset: 'micro',
    honest: 1,
    attackers: 0,
    pages: 2,
    seed: 'renewal',
    windows: 4,
    portsOf: (ports) => ({ ...ports, identity: signedByHand(ports.identity, ports.now, answer) }),
    onEvent: (event) => events.push(event),
  });
  const kinds = events.flatMap((event) => (event.type === 'status' ? [event.status.kind] : []));
  return { participants: windows.map(({ participants }) => participants), kinds, events };
}

// It expires while the second window is trained.
const lifeMs = TRAIN_MS + PUT_MS + TRAIN_MS / 2;

test('a signature that comes while uploads are open delivers what was trained before', async () => {
  const { participants, kinds } = await contribute({ lifeMs, answerMs: PUT_MS / 3 });
  expect(participants).toEqual([1, 1, 1, 1]);
  expect(kinds).toContain('needs-signature');
  expect(kinds.filter((kind) => kind === 'compiling')).toHaveLength(1);
});

test('one that comes later loses that window alone, and the engine stays', async () => {
  const { participants, kinds, events } = await contribute({ lifeMs, answerMs: PUT_MS + 1_000 });
  expect(participants).toEqual([1, 0, 1, 1]);
  expect(kinds.filter((kind) => kind === 'compiling')).toHaveLength(1);
  expect(kinds).not.toContain('failed');
  expect(events.filter(({ type }) => type === 'receipt')).toHaveLength(3);
});
