import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Keyring } from '@polkadot/api';
import { blake2AsU8a, cryptoWaitReady } from '@polkadot/util-crypto';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canonicalBytes } from '../../core/identity/canonical.ts';
import { delegationText, wrappedBytes } from '../../core/identity/delegation.ts';
import { signHex } from '../../core/identity/signing.ts';
import type { Delegation, RevocationRequest, WalletJoin, WalletKey } from '../../core/protocol/api.ts';
import type { RunManifest } from '../../core/protocol/manifest.ts';
import {
  contributionOf,
  createTestRun,
  deliver,
  FakeClock,
  openTestRun,
  START,
  testPeer,
  ticketRequest,
  type OpenTestRun,
} from '../adapters/testing/test-run.ts';
import { assertOnChain, assertSigned } from './delegations.ts';
import { ChainUnreachableError, type RunChain } from './ports.ts';

type Pair = ReturnType<Keyring['addFromUri']>;

const DAY = 86_400_000;
const RUN = '01'.repeat(16);
const GENESIS = `0x${'ab'.repeat(32)}`;
const at = (ms: number): string => new Date(START + ms).toISOString();
const session = testPeer('session');

let wallet: Record<WalletKey, Pair>;
beforeAll(async () => {
  await cryptoWaitReady();
  const pair = (type: WalletKey): Pair => new Keyring({ type, ss58Format: 42 }).addFromUri('//wallet');
  wallet = { sr25519: pair('sr25519'), ed25519: pair('ed25519'), ecdsa: pair('ecdsa') };
});

/** What a wallet's one signature comes to. */
function walletJoin(change: Partial<Delegation> = {}, key: WalletKey = 'sr25519', signer = wallet[key]): WalletJoin {
  const delegation: Delegation = {
    run: RUN,
    hotkey: wallet[key].address,
    sessionKey: bytesToHex(session.signer.publicKey),
    scopes: ['contribute'],
    issuedAt: at(0),
    expiresAt: at(30 * DAY),
    ...change,
  };
  const signature = bytesToHex(signer.sign(wrappedBytes(delegationText(delegation))));
  return { kind: 'wallet', delegation, signer: signer.address, key, proof: { form: 'bytes', signature } };
}

const context = (manifest: Partial<RunManifest> = {}) => ({
  run: RUN,
  manifest: { guests: true, ...manifest } as RunManifest,
});
const check = (request: WalletJoin) => (): void => assertSigned(context(), request, START);
const refusal = (key: string): unknown => expect.objectContaining({ key });

describe('a wallet’s delegation', () => {
  it.each(['sr25519', 'ed25519', 'ecdsa'] as const)('is taken when an account of %s signed it', (key) => {
    expect(check(walletJoin({}, key))).not.toThrow();
  });

  it.each([
    ['another run', { run: '02'.repeat(16) }, 'wrong-run'],
    ['the future', { issuedAt: at(6 * 60_000) }, 'delegation-not-yet-valid'],
    ['the past', { issuedAt: at(-2 * DAY), expiresAt: at(0) }, 'delegation-expired'],
    ['ever', { expiresAt: at(91 * DAY) }, 'delegation-too-long'],
    ['no time at all', { issuedAt: at(2), expiresAt: at(1) }, 'delegation-too-long'],
  ] as const)('is refused when it is for %s', (_what, change, key) => {
    expect(check(walletJoin(change))).toThrow(refusal(key));
  });

  it('is refused with an address of another network, a damaged one, and one that is too short', () => {
    const foreign = new Keyring({ type: 'sr25519', ss58Format: 0 }).addFromUri('//wallet').address;
    for (const [address, words] of [
      [foreign, /prefix 0/],
      [`${wallet.sr25519.address.slice(0, -1)}1`, /checksum/],
      [wallet.sr25519.address.slice(0, 46), /length/],
    ] as const) {
      expect(check(walletJoin({ hotkey: address }))).toThrow(refusal('wrong-address'));
      expect(check({ ...walletJoin(), signer: address })).toThrow(words);
    }
  });

  it('is refused when anything of it was changed after it was signed', () => {
    const signed = walletJoin();
    const changes: Partial<Delegation>[] = [
      { hotkey: wallet.ed25519.address },
      { sessionKey: '03'.repeat(32) },
      { issuedAt: at(1) },
      { expiresAt: at(29 * DAY) },
      { scopes: ['contribute', 'contribute'] },
    ];
    for (const change of changes) {
      const tampered = { ...signed, delegation: { ...signed.delegation, ...change } };
      expect(check(tampered), JSON.stringify(change)).toThrow(refusal('wrong-signature'));
    }
    expect(check({ ...signed, signer: wallet.ed25519.address })).toThrow(refusal('wrong-signature'));
    expect(check({ ...signed, key: 'ed25519' })).toThrow(refusal('wrong-signature'));
  });

  it('is refused with any one bit of its signature changed', () => {
    const signed = walletJoin();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
        const bytes = Buffer.from(signed.proof.signature, 'hex');
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const proof = { form: 'bytes' as const, signature: bytes.toString('hex') };
        expect(check({ ...signed, proof })).toThrow(refusal('wrong-signature'));
      }),
      { numRuns: 40 },
    );
  });

  it('may be signed as a transaction where there is a chain for it', () => {
    const { delegation } = walletJoin();
    const text = Buffer.from(delegationText(delegation));
    // Two bytes of compact length: between 64 and 16383.
    const length = Buffer.from([((text.length << 2) | 1) & 0xff, text.length >> 6]);
    const payload = Buffer.concat([Buffer.from([0, 0]), length, text, Buffer.alloc(12), Buffer.from(GENESIS.slice(2), 'hex')]); // prettier-ignore
    const signer = wallet.sr25519;
    const request: WalletJoin = {
      ...walletJoin(),
      proof: {
        form: 'remark',
        payload: payload.toString('hex'),
        signature: bytesToHex(signer.sign(blake2AsU8a(payload))),
      },
    };
    const chain = { genesisHash: GENESIS } as RunManifest['chain'];
    expect(() => assertSigned(context({ chain }), request, START)).not.toThrow();
    expect(check(request)).toThrow(refusal('no-chain'));
    const other = { genesisHash: `0x${'cd'.repeat(32)}` } as RunManifest['chain'];
    expect(() => assertSigned(context({ chain: other }), request, START)).toThrow(refusal('wrong-signature'));
  });
});

describe('on a chain', () => {
  const chainOf = (answers: Partial<RunChain>): RunChain => ({
    head: () => undefined,
    onHead: () => () => undefined,
    reached: () => Promise.reject(new Error('not asked')),
    hashOf: () => Promise.reject(new Error('not asked')),
    registration: () => Promise.resolve({ uid: 7 }),
    ownerOf: () => Promise.resolve(wallet.ed25519.address),
    state: () => {
      throw new Error('not asked');
    },
    ...answers,
  });
  /** The coldkey signs for a hotkey. */
  const byColdkey = (): WalletJoin => walletJoin({}, 'sr25519', wallet.ed25519);
  const unreachable = (): Promise<never> => Promise.reject(new ChainUnreachableError('nobody answers'));

  it('the owner’s signature counts, another’s does not', async () => {
    const signed: WalletJoin = { ...byColdkey(), key: 'ed25519' };
    expect(check(signed)).not.toThrow();
    await expect(assertOnChain(signed, chainOf({}))).resolves.toBeUndefined();
    const other = chainOf({ ownerOf: () => Promise.resolve(wallet.ecdsa.address) });
    await expect(assertOnChain(signed, other)).rejects.toEqual(refusal('not-the-owner'));
    await expect(assertOnChain(signed, chainOf({ ownerOf: () => Promise.resolve(null) }))).rejects.toEqual(
      refusal('not-the-owner'),
    );
    await expect(assertOnChain(signed, undefined)).rejects.toEqual(refusal('not-the-owner'));
  });

  it('a hotkey signs for itself, when it is registered', async () => {
    await expect(assertOnChain(walletJoin(), undefined)).resolves.toBeUndefined();
    await expect(assertOnChain(walletJoin(), chainOf({ ownerOf: unreachable }))).resolves.toBeUndefined();
    const stranger = chainOf({ registration: () => Promise.resolve(null) });
    await expect(assertOnChain(walletJoin(), stranger)).rejects.toEqual(refusal('not-registered'));
  });

  it('that does not answer nobody is judged', async () => {
    for (const chain of [chainOf({ ownerOf: unreachable }), chainOf({ registration: unreachable })]) {
      await expect(assertOnChain(byColdkey(), chain)).rejects.toEqual(refusal('chain-unavailable'));
    }
  });
});

describe('in a run', () => {
  let dir: string;
  let clock: FakeClock;
  let run: OpenTestRun;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gauntlet-delegations-'));
    clock = new FakeClock();
    await createTestRun(dir);
    run = await openTestRun(dir, clock);
  });
  afterEach(async () => {
    await run.close();
    await rm(dir, { recursive: true, force: true });
  });

  const joining = (change: Partial<Delegation> = {}): WalletJoin =>
    walletJoin({ run: run.rounds.clock().run, ...change });
  const revocation = async (ms: number, signer = session.signer): Promise<RevocationRequest> => {
    const about = {
      run: run.rounds.clock().run,
      hotkey: wallet.sr25519.address,
      sessionKey: bytesToHex(signer.publicKey),
      revokedAt: at(ms),
    };
    return { revocation: about, signature: await signHex(signer, 'revocation', canonicalBytes(about)) };
  };
  const peer = () => ({ hotkey: wallet.sr25519.address, signer: session.signer });

  it('a wallet’s session key contributes until it is revoked, and with a new signature again', async () => {
    const { hotkey } = peer();
    await run.rounds.join(joining());
    // The same again, as after a reload.
    expect(await run.rounds.join(joining())).toMatchObject({
      delegation: { expiresAt: at(30 * DAY), revokedAt: null },
    });
    clock.moveTo(Date.parse(run.rounds.clock().putOpensAt));
    const bytes = await contributionOf(run, peer());
    const { url } = await run.rounds.ticket(1, await ticketRequest(run.rounds.clock(), peer(), bytes));

    const stranger = await revocation(10_000, testPeer('stranger').signer);
    await expect(run.rounds.revoke(hotkey, stranger)).rejects.toEqual(refusal('wrong-signature'));
    await expect(run.rounds.revoke(hotkey, await revocation(DAY))).rejects.toEqual(refusal('delegation-not-yet-valid'));
    const request = await revocation(10_000);
    expect(await run.rounds.revoke(hotkey, request)).toMatchObject({ delegation: { revokedAt: at(10_000) } });
    expect(await run.rounds.revoke(hotkey, request)).toMatchObject({ delegation: { revokedAt: at(10_000) } });

    const body = (): ReadableStream<Uint8Array> => new Blob([bytes]).stream();
    const upload = run.rounds.receive(url.split('/').at(-1)!, bytes.length, body());
    await expect(upload).rejects.toEqual(refusal('delegation-revoked'));
    await expect(deliver(run, peer(), bytes)).rejects.toEqual(refusal('delegation-revoked'));
    await expect(run.rounds.join(joining())).rejects.toEqual(refusal('delegation-revoked'));
    await run.close();
    run = await openTestRun(dir, clock);
    clock.moveTo(Date.parse(run.rounds.clock().putOpensAt));
    await expect(deliver(run, peer(), bytes)).rejects.toEqual(refusal('delegation-revoked'));

    expect(await run.rounds.join(joining({ issuedAt: at(10_001) }))).toMatchObject({ uid: 0 });
    expect(await deliver(run, peer(), bytes)).toMatchObject({ receipt: { hotkey } });
    await expect(run.rounds.join(joining({ issuedAt: at(10_000) }))).rejects.toEqual(refusal('delegation-revoked'));
  });

  it('an older delegation does not bring its session key back', async () => {
    await run.rounds.join(joining({ issuedAt: at(2) }));
    await expect(run.rounds.join(joining({ issuedAt: at(1) }))).rejects.toEqual(refusal('delegation-replaced'));
  });
});
