import 'fake-indexeddb/auto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { SignatureNeededError } from '../../client/identity.ts';
import { signHex, verifyHex } from '../../core/identity/signing.ts';
import type { WalletJoin } from '../../core/protocol/api.ts';
import { createDatabase, type Database, type WalletRecord } from './database.ts';
import { openGuestIdentity } from './guest-identity.ts';
import { createKey } from './stored-key.ts';
import {
  chooseGuest,
  chosenWallet,
  forgetWallet,
  openWalletIdentity,
  saveWallet,
  walletsOf,
} from './wallet-identity.ts';

const RUN = 'a'.repeat(64);
const HOTKEY = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const OTHER = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';
const EXPIRES = Date.parse('2026-02-01T00:00:00.000Z');

let database: Database;
let count = 0;

beforeEach(() => {
  database = createDatabase(`wallet-${count++}`);
});

async function recordOf(hotkey: string, change: Partial<WalletJoin['delegation']> = {}): Promise<WalletRecord> {
  const key = await createKey();
  const delegation = {
    run: RUN,
    hotkey,
    sessionKey: bytesToHex(key.publicKey),
    scopes: ['contribute' as const],
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: new Date(EXPIRES).toISOString(),
    ...change,
  };
  const proof = { form: 'bytes' as const, signature: '00'.repeat(64) };
  const request: WalletJoin = { kind: 'wallet', delegation, signer: hotkey, key: 'sr25519', proof };
  return { run: RUN, hotkey, ...key, request, wallet: { key: 'w', name: 'W', account: 'A' } };
}

describe('wallet identity', () => {
  it('signs with the session key, which cannot be taken out, and joins with what was signed', async () => {
    const record = await recordOf(HOTKEY);
    await saveWallet(database, record);
    const identity = await openWalletIdentity(database, { run: RUN, hotkey: HOTKEY });
    expect(await identity.joinRequest(RUN, EXPIRES - 1)).toEqual(record.request);
    const message = new TextEncoder().encode('hello');
    const signature = await signHex(identity.sessionSigner, 'ticket', message);
    expect(verifyHex('ticket', message, signature, record.request.delegation.sessionKey)).toBe(true);
    const stored = await chosenWallet(database, RUN);
    await expect(crypto.subtle.exportKey('pkcs8', stored!.privateKey)).rejects.toThrow();
  });

  it('asks for a signature when it has expired, is for another run or is gone, and takes a new one up', async () => {
    await saveWallet(database, await recordOf(HOTKEY));
    const identity = await openWalletIdentity(database, { run: RUN, hotkey: HOTKEY });
    await expect(identity.joinRequest(RUN, EXPIRES)).rejects.toBeInstanceOf(SignatureNeededError);
    await expect(identity.joinRequest('b'.repeat(64), 0)).rejects.toBeInstanceOf(SignatureNeededError);
    await saveWallet(database, await recordOf(HOTKEY, { expiresAt: new Date(EXPIRES + 5).toISOString() }));
    expect((await identity.joinRequest(RUN, EXPIRES)).delegation.expiresAt).toBe(new Date(EXPIRES + 5).toISOString());
    await forgetWallet(database, RUN, HOTKEY);
    await expect(identity.joinRequest(RUN, 0)).rejects.toBeInstanceOf(SignatureNeededError);
    await expect(openWalletIdentity(database, { run: RUN, hotkey: HOTKEY })).rejects.toThrow('no signature');
  });

  it('signs with the key that was signed for last, from the next joining on', async () => {
    await saveWallet(database, await recordOf(HOTKEY));
    const identity = await openWalletIdentity(database, { run: RUN, hotkey: HOTKEY });
    const before = identity.sessionSigner.publicKey;
    const record = await recordOf(HOTKEY);
    await saveWallet(database, record);
    expect(identity.sessionSigner.publicKey).toEqual(before);
    await identity.joinRequest(RUN, 0);
    expect(identity.sessionSigner.publicKey).toEqual(record.publicKey);
    expect(record.publicKey).not.toEqual(before);
  });

  it('is chosen for each run by itself; forgetting one that is not chosen leaves the choice', async () => {
    await saveWallet(database, await recordOf(OTHER));
    await saveWallet(database, await recordOf(HOTKEY));
    expect((await chosenWallet(database, RUN))?.hotkey).toBe(HOTKEY);
    expect(await chosenWallet(database, 'b'.repeat(64))).toBeUndefined();
    await forgetWallet(database, RUN, OTHER);
    expect((await chosenWallet(database, RUN))?.hotkey).toBe(HOTKEY);
    await chooseGuest(database, RUN);
    expect(await chosenWallet(database, RUN)).toBeUndefined();
    expect((await walletsOf(database, RUN)).map(({ hotkey }) => hotkey)).toEqual([HOTKEY]);
    expect(await walletsOf(database, 'b'.repeat(64))).toEqual([]);
  });

  it('comes to a browser that has the guest’s storage of an earlier version, and keeps it', async () => {
    const name = `old-${count}`;
    const old = await openDB(name, 1, {
      upgrade(created) {
        created.createObjectStore('blobs', { keyPath: 'sha256' }).createIndex('kind', 'kind');
        created.createObjectStore('parts');
        created.createObjectStore('optimiser', { keyPath: ['run', 'hotkey'] });
        created.createObjectStore('identities', { keyPath: 'id' });
      },
    });
    const guest = { id: 'guest', ...(await createKey()), createdAtMs: 0 };
    await old.put('identities', guest);
    old.close();
    database = createDatabase(name);
    expect((await openGuestIdentity(database)).signer.publicKey).toEqual(guest.publicKey);
    await saveWallet(database, await recordOf(HOTKEY));
    expect((await chosenWallet(database, RUN))?.hotkey).toBe(HOTKEY);
  });
});
