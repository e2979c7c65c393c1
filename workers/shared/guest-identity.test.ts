import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { signHex, verifyHex } from '../../core/identity/signing.ts';
import { decodeAddress } from '../../core/identity/ss58.ts';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createDatabase, type Database } from './database.ts';
import { openGuestIdentity } from './guest-identity.ts';
import { KeyError } from './stored-key.ts';

let database: Database;
let count = 0;

beforeEach(() => {
  database = createDatabase(`identity-${count++}`);
});

describe('guest identity', () => {
  it('signs what the protocol verifies', async () => {
    const { hotkey, signer } = await openGuestIdentity(database);
    const message = new TextEncoder().encode('hello');
    const signature = await signHex(signer, 'ticket', message);
    expect(verifyHex('ticket', message, signature, bytesToHex(decodeAddress(hotkey)))).toBe(true);
  });

  it('is the same key on the next visit and never extractable', async () => {
    const first = await openGuestIdentity(database);
    await database.close();
    expect((await openGuestIdentity(database)).hotkey).toBe(first.hotkey);
    const record = await database.use((connection) => connection.get('identities', 'guest'));
    expect(record?.privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('pkcs8', record!.privateKey)).rejects.toThrow();
  });

  it('is one key when the page and the worker both make it', async () => {
    const [a, b] = await Promise.all([openGuestIdentity(database), openGuestIdentity(database)]);
    expect(a.hotkey).toBe(b.hotkey);
  });

  it('says what to do without Ed25519 and without a secure context', async () => {
    const without = { generateKey: () => Promise.reject(new DOMException('no', 'NotSupportedError')) };
    await expect(openGuestIdentity(database, without as unknown as SubtleCrypto)).rejects.toBeInstanceOf(KeyError);
    await expect(openGuestIdentity(database, without as unknown as SubtleCrypto)).rejects.toMatchObject({
      remedy: expect.stringMatching(/Update the browser/) as string,
    });
  });
});
