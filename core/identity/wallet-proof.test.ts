import { Keyring } from '@polkadot/api';
import { wrapBytes } from '@polkadot/extension-dapp/wrapBytes';
import { TypeRegistry } from '@polkadot/types';
import { cryptoWaitReady, signatureVerify } from '@polkadot/util-crypto';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { WalletKeySchema, type Delegation, type WalletKey } from '../protocol/api.ts';
import { verifyAccountSignature } from './account-signature.ts';
import { delegationText, wrappedBytes } from './delegation.ts';
import { isRemarkOf, signedBytesOfPayload } from './remark-proof.ts';
import { decodeAddress } from './ss58.ts';

type Pair = ReturnType<Keyring['addFromUri']>;

const GENESIS = `0x${'ab'.repeat(32)}` as const;
const DELEGATION: Delegation = {
  run: '01'.repeat(16),
  hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  sessionKey: '02'.repeat(32),
  scopes: ['contribute'],
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-02-01T00:00:00.000Z',
};

const flipBit = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe('the text of a delegation', () => {
  it('is wrapped as wallets wrap what they sign', () => {
    const text = delegationText(DELEGATION);
    expect(wrappedBytes(text)).toEqual(wrapBytes(utf8ToBytes(text)));
  });

  it('is one for one delegation, of printable ASCII that wallets show as it is', () => {
    const text = delegationText(DELEGATION);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    const changes: Partial<Delegation>[] = [
      { run: '03'.repeat(16) },
      { hotkey: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' },
      { sessionKey: '03'.repeat(32) },
      { scopes: ['contribute', 'contribute'] },
      { issuedAt: '2026-01-01T00:00:00.001Z' },
      { expiresAt: '2026-02-01T00:00:00.001Z' },
    ];
    const texts = [text, ...changes.map((change) => delegationText({ ...DELEGATION, ...change }))];
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe.each(WalletKeySchema.options)('an account of %s', (key: WalletKey) => {
  const message = wrappedBytes(delegationText(DELEGATION));
  let pair: Pair;
  let signature: Uint8Array;

  beforeAll(async () => {
    await cryptoWaitReady();
    pair = new Keyring({ type: key, ss58Format: 42 }).addFromUri('//Gauntlet');
    signature = pair.sign(message);
  });

  it('is verified as the chain’s own library does', () => {
    const account = decodeAddress(pair.address);
    expect(signatureVerify(message, signature, pair.address)).toMatchObject({ isValid: true, crypto: key });
    expect(verifyAccountSignature(key, account, message, signature)).toBe(true);
    for (const other of WalletKeySchema.options) {
      expect(verifyAccountSignature(other, account, message, signature), other).toBe(other === key);
    }
  });

  it('is refused with a single bit changed anywhere', () => {
    const account = decodeAddress(pair.address);
    fc.assert(
      fc.property(fc.constantFrom('message', 'signature', 'account'), fc.nat(), (what, n) => {
        const parts = { message, signature, account };
        const changed = { ...parts, [what]: flipBit(parts[what], n % (8 * parts[what].length)) };
        // The last byte of an ecdsa signature is a recovery bit in a byte: others of its bits are refused as well.
        return !verifyAccountSignature(key, changed.account, changed.message, changed.signature);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused, and never an error, for any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 40 }), (bytes, account) => {
        return !verifyAccountSignature(key, account, message, bytes);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a delegation signed as a remark', () => {
  const text = delegationText(DELEGATION);
  const registry = new TypeRegistry();

  /** A signing payload as the chain's own library makes it: method, era, nonce, tip, versions, genesis, block. */
  function payloadOf(words: string, genesisHash: string, call = [0, 0]) {
    const argument = registry.createType('Bytes', `0x${bytesToHex(utf8ToBytes(words))}`).toU8a();
    const parts = {
      method: `0x${bytesToHex(new Uint8Array([...call, ...argument]))}`,
      era: '0x00',
      nonce: 7,
      tip: 0,
      specVersion: 233,
      transactionVersion: 1,
      genesisHash,
      blockHash: genesisHash,
    };
    return registry.createType('ExtrinsicPayload', parts, { version: 4 });
  }
  const bytesOf = (...about: Parameters<typeof payloadOf>): Uint8Array => payloadOf(...about).toU8a({ method: true });

  it('is known by its text and its chain', () => {
    expect(isRemarkOf(bytesOf(text, GENESIS), text, GENESIS)).toBe(true);
    expect(isRemarkOf(bytesOf(text, GENESIS, [0, 7]), text, GENESIS)).toBe(true);
    expect(isRemarkOf(bytesOf(text, GENESIS, [5, 0]), text, GENESIS)).toBe(false);
    expect(isRemarkOf(bytesOf(`${text} `, GENESIS), text, GENESIS)).toBe(false);
    expect(isRemarkOf(bytesOf(text, `0x${'cd'.repeat(32)}`), text, GENESIS)).toBe(false);
    expect(isRemarkOf(new Uint8Array(), text, GENESIS)).toBe(false);
  });

  it('has its text’s length written as SCALE does, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (length) => {
        const words = 'x'.repeat(length);
        return isRemarkOf(bytesOf(words, GENESIS), words, GENESIS);
      }),
      { numRuns: 60 },
    );
  });

  it('is signed over its hash when it is long', async () => {
    await cryptoWaitReady();
    const pair = new Keyring({ type: 'sr25519' }).addFromUri('//Gauntlet');
    for (const words of ['short', text]) {
      const payload = payloadOf(words, GENESIS);
      // What the library signs, by its own rule.
      const { signature } = payload.sign(pair);
      const bytes = Uint8Array.from(Buffer.from(signature.slice(2), 'hex'));
      const plain = bytes.length === 65 ? bytes.subarray(1) : bytes;
      expect(
        verifyAccountSignature('sr25519', pair.publicKey, signedBytesOfPayload(payload.toU8a({ method: true })), plain),
      ).toBe(true);
    }
  });
});
