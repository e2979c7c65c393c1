import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes } from '../identity/canonical.ts';
import { memorySigner, signingBytes } from '../identity/signing.ts';
import { MAX_CONTRIBUTION_HEADER_BYTES, type ContributionHeader } from '../protocol/contribution.ts';
import { ProblemError, type ProblemKey } from '../protocol/problem.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { contributionBody, decodeContribution, encodeContribution, maxContributionBytes } from './contribution.ts';

const signer = memorySigner(new Uint8Array(32).fill(7));
const sessionKey = bytesToHex(signer.publicKey);
const body = Uint8Array.from({ length: 50 }, (_, i) => i);
const bodyBytes = body.length;

const header: ContributionHeader = {
  run: '0a'.repeat(16),
  window: 4,
  hotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  scheme: 'decoupled-momentum',
  root: 'ab'.repeat(32),
  pagesTrained: 8,
  sampleDigest: 'cd'.repeat(32),
  trainLoss: 3.5,
  syncSample: [0.5, -0.25, 1e-7],
};

const valid = await encodeContribution(header, body, signer);

/** An envelope around any header bytes, properly signed. */
async function sealed(headerBytes: Uint8Array): Promise<Uint8Array> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, headerBytes.length, true);
  const signed = concatBytes(valid.subarray(0, 5), length, headerBytes, body);
  return concatBytes(signed, await signer.sign(signingBytes('contribution', sha256(signed))));
}

function keyOf(bytes: Uint8Array, expected = { bodyBytes, sessionKey }): ProblemKey | undefined {
  try {
    decodeContribution(bytes, expected);
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError);
    return (error as ProblemError).key;
  }
  return undefined;
}

const text = (json: string): Uint8Array => new TextEncoder().encode(json);

describe('decodeContribution', () => {
  it('undoes encoding', () => {
    const decoded = decodeContribution(valid, { bodyBytes, sessionKey });
    expect(decoded.header).toEqual(header);
    expect([...decoded.body]).toEqual([...body]);
    expect([...contributionBody(valid, bodyBytes)]).toEqual([...body]);
    expect(valid.length).toBeLessThanOrEqual(maxContributionBytes(bodyBytes));
  });

  it('reads views into a larger buffer', () => {
    const larger = new Uint8Array(valid.length + 3);
    larger.set(valid, 3);
    expect(decodeContribution(larger.subarray(3), { bodyBytes, sessionKey }).header).toEqual(header);
  });

  it('says truncated of every proper prefix', () => {
    for (let length = 0; length < valid.length; length++)
      expect(keyOf(valid.subarray(0, length))).toBe('truncated-upload');
  });

  it('refuses trailing bytes and other body lengths', () => {
    expect(keyOf(concatBytes(valid, Uint8Array.of(0)))).toBe('malformed-contribution');
    expect(keyOf(valid, { bodyBytes: bodyBytes - 1, sessionKey })).toBe('malformed-contribution');
    expect(keyOf(valid, { bodyBytes: bodyBytes + 1, sessionKey })).toBe('truncated-upload');
  });

  it('refuses every single flipped bit', () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(7), (at, bit) => {
        const bytes = Uint8Array.from(valid);
        bytes[at]! ^= 1 << bit;
        expect(keyOf(bytes)).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });

  it('throws nothing but problems for random bytes', () => {
    const magic = valid.subarray(0, 5);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, marked) => {
        expect(keyOf(marked ? concatBytes(magic, bytes) : bytes)).toBeDefined();
      }),
    );
  });

  it('refuses another signer', () => {
    const other = bytesToHex(memorySigner(new Uint8Array(32).fill(8)).publicKey);
    expect(keyOf(valid, { bodyBytes, sessionKey: other })).toBe('wrong-signature');
  });

  it('refuses signed headers that are not the canonical form of a valid one', async () => {
    const canonical = new TextDecoder().decode(canonicalBytes(header));
    expect(keyOf(await sealed(text(canonical)))).toBeUndefined();
    const forgeries = [
      '',
      'null',
      '[]',
      '{',
      ` ${canonical}`,
      canonical.replace('"window":4', '"window":4.0'),
      canonical.replace('"window":4', '"window":-4'),
      canonical.replace('"window":4', '"window":3,"window":4'),
      canonical.replace('"window":4', '"zebra":1,"window":4'),
      canonical.replace('{', '{"__proto__":{"polluted":1},'),
      canonical.replace('"trainLoss":3.5', '"trainLoss":1e999'),
      canonical.replace('"trainLoss":3.5', '"trainLoss":-0'),
      canonical.replace('[0.5,', '["0.5",'),
      JSON.stringify(header),
      '['.repeat(8_000),
    ];
    for (const forgery of forgeries) expect(keyOf(await sealed(text(forgery))), forgery).toBe('malformed-contribution');
    expect(keyOf(await sealed(Uint8Array.of(0xff, 0xfe)))).toBe('malformed-contribution');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('refuses a header that is too long unread', async () => {
    expect(keyOf(await sealed(new Uint8Array(MAX_CONTRIBUTION_HEADER_BYTES + 1)))).toBe('malformed-contribution');
  });
});

describe('encodeContribution', () => {
  it('refuses headers that no receiver would take', async () => {
    await expect(encodeContribution({ ...header, trainLoss: Number.NaN }, body, signer)).rejects.toThrow(RangeError);
    await expect(encodeContribution({ ...header, pagesTrained: 0 }, body, signer)).rejects.toThrow(RangeError);
  });

  it('fits the largest sync sample', async () => {
    const syncSample = Array.from({ length: 256 }, (_, i) => Math.fround(-Math.PI * 1e-7 * (i + 1)));
    const bytes = await encodeContribution({ ...header, syncSample }, body, signer);
    expect(decodeContribution(bytes, { bodyBytes, sessionKey }).header.syncSample).toEqual(syncSample);
  });
});
