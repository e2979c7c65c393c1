import { gcm } from '@noble/ciphers/aes.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { TypeRegistry } from '@polkadot/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChainError } from '../errors.ts';
import { QUICKNET, encryptToRound, hashOfPairing, scalarOf, xor } from './tlock.ts';
import { encodePayload, encryptWeightsCommit, revealRound, type WeightsToCommit } from './weights-commit.ts';

/** drand's signature of quicknet's round 1000, which the runtime's own tests decrypt with too. */
const ROUND = 1000;
const SIGNATURE = hexToBytes(
  'b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39',
);

/** `tld` of the Rust crate in plain steps, with its check that U = rP. @throws Error where the crate has an error */
function decrypt(ciphertext: Uint8Array, signature: Uint8Array): Uint8Array {
  const reader = (bytes: Uint8Array): { take(length: number): Uint8Array; vector(): Uint8Array; end(): void } => {
    let at = 0;
    const take = (length: number): Uint8Array => {
      if (at + length > bytes.length) throw new Error('too short');
      return bytes.slice(at, (at += length));
    };
    return {
      take,
      vector: () => take(Number(new DataView(take(8).buffer).getBigUint64(0, true))),
      end: () => {
        if (at !== bytes.length) throw new Error('too long');
      },
    };
  };
  const outer = reader(ciphertext);
  const u = bls12_381.G2.Point.fromBytes(outer.take(96));
  const [v, w, body, suite] = [outer.vector(), outer.vector(), outer.vector(), outer.vector()];
  outer.end();
  if (new TextDecoder().decode(suite) !== 'AES_GCM_') throw new Error('another cipher');
  const sigma = xor(v, hashOfPairing(bls12_381.pairing(bls12_381.G1.Point.fromBytes(signature), u)));
  const key = xor(w, sha256(sigma));
  if (!bls12_381.G2.Point.BASE.multiply(scalarOf(sigma, key)).equals(u)) throw new Error('another round');
  const inner = reader(body);
  const [sealed, nonce] = [inner.vector(), inner.vector()];
  inner.end();
  return gcm(key, nonce).decrypt(sealed);
}

/**
 * Made by, and read by, the crate itself in its authors' WASM build (@ideallabs/timelock_wasm_wrapper 1.0.0): `tle` with
 * an AES key of 32 sevens made the first; the second is ours with `seeded` randomness, and its `tld` read it.
 */
const OF_THE_CRATE = hexToBytes(
  '89045fe26eac779ea55f9b0e0ab2b9e72c6ce6bea88173db7455c67cdec501c97df0b58fdeea3bbd69e5722763d0bc41' +
    '0196940a2db5bf79637f12dfeaa71801660f8434f8657859db080e501ff62e52b3ddbe4b35724f2831906595d0e320dd' +
    '2000000000000000d15743aadc3f0f5656f1a539cb6b83ffd132cc9b2391bbf4afdded44e8d49fcf2000000000000000' +
    'a9b68ded89e46dafb2c3c791456defcaa4983267614f39819d4697cc38288d0139000000000000001d00000000000000' +
    '4f2d3cc34c6e282a85aae17f9d47c0879fde352534fcc28eeed630e5db0c000000000000001722d31bafe27ccdc7a84f' +
    'ed08000000000000004145535f47434d5f',
);
const READ_BY_THE_CRATE = hexToBytes(
  '917e7c487a1f5450b432959c1663634007d9334be314622ab274a95217efe47039ecd95aedc53291b9d5a942f28f8f4b' +
    '061da9be6386c0b9d73c4f3b88b9e9376a22e6b1d17abadc1ee92b8df89841bd97a066457c6ade866748bdbfb146cedb' +
    '2000000000000000bf8097d34af1161b5a55a409e0ec87cc98762da008979a536b534d817afe65fb2000000000000000' +
    'c94ec0dbe215221269d525fbcaafa61decc7d1f0f5381b213a00187a6d665ff339000000000000001d00000000000000' +
    '8ef851b6caebb45e563671307a3be1ac9af8bf11f89250ba4526d974210c00000000000000c0c7ced5dce3eaf1f8ff06' +
    '0d08000000000000004145535f47434d5f',
);
const PLAINTEXT = utf8ToBytes('hello weights');
const seeded = (): ((length?: number) => Uint8Array<ArrayBuffer>) => {
  let next = 0;
  return (length = 0) => Uint8Array.from({ length }, () => (next++ * 7) & 0xff);
};

describe('timelock encryption', () => {
  it('is decrypted by drand’s signature of its round, and by no other', () => {
    expect(decrypt(encryptToRound(PLAINTEXT, ROUND), SIGNATURE)).toEqual(PLAINTEXT);
    expect(() => decrypt(encryptToRound(PLAINTEXT, ROUND + 1), SIGNATURE)).toThrow('another round');
  });

  it('has the form of the crate that the runtime decrypts with', () => {
    expect(decrypt(OF_THE_CRATE, SIGNATURE)).toEqual(PLAINTEXT);
    expect(bytesToHex(encryptToRound(PLAINTEXT, ROUND, seeded()))).toBe(bytesToHex(READ_BY_THE_CRATE));
  });
});

const weights: WeightsToCommit = {
  format: 'timelocked',
  hotkey: Uint8Array.from({ length: 32 }, (_, i) => i),
  uids: [0, 5, 255],
  values: [1, 65_535, 300],
  versionKey: 7,
  block: { number: 1_000, at: (QUICKNET.genesis + 30_000) * 1000 },
  nextEpochAt: 1_100,
  tempo: 360,
  revealPeriodEpochs: 1,
  blockSeconds: 12,
};

describe('a commit of weights', () => {
  const u16 = fc.integer({ min: 0, max: 65_535 });

  it('carries the payload in SCALE', () => {
    const registry = new TypeRegistry();
    fc.assert(
      fc.property(fc.array(fc.tuple(u16, u16), { maxLength: 300 }), fc.maxSafeNat(), (pairs, versionKey) => {
        const [uids, values] = [pairs.map(([uid]) => uid), pairs.map(([, value]) => value)];
        const parts = [uids, values, versionKey];
        const encode = (type: string, value: unknown[]): Uint8Array => registry.createType(type, value).toU8a();
        const payload = { ...weights, uids, values, versionKey };
        const hotkey = `0x${bytesToHex(weights.hotkey)}`;
        expect(encodePayload(payload)).toEqual(encode('(Vec<u8>, Vec<u16>, Vec<u16>, u64)', [hotkey, ...parts]));
        expect(encodePayload({ ...payload, format: 'crv3' })).toEqual(encode('(Vec<u16>, Vec<u16>, u64)', parts));
      }),
    );
  });

  it('is decrypted to that payload once its round is there', () => {
    // The round is 1000 three seconds after its time, and the reveal epoch 3 blocks before.
    const at = (QUICKNET.genesis + ROUND * QUICKNET.period - (100 + 3) * 12) * 1000;
    const { commit, revealRound: round } = encryptWeightsCommit({ ...weights, block: { number: 1_000, at } });
    expect(round).toBe(ROUND);
    expect(decrypt(commit, SIGNATURE)).toEqual(encodePayload(weights));
  });

  it('is refused before it is sent where the chain would refuse it', () => {
    const invalid: Partial<WeightsToCommit>[] = [
      { hotkey: new Uint8Array(31) },
      { uids: [1], values: [1, 2] },
      { uids: [1], values: [65_536] },
      { uids: [-1], values: [1] },
      { versionKey: -1 },
      { uids: Array.from({ length: 1_300 }, (_, i) => i), values: Array.from({ length: 1_300 }, () => 1) },
    ];
    for (const part of invalid) expect(() => encryptWeightsCommit({ ...weights, ...part })).toThrow(ChainError);
  });
});

describe('the round of a commit', () => {
  const schedule = fc.record({
    netuid: fc.integer({ min: 1, max: 128 }),
    tempo: fc.integer({ min: 20, max: 720 }),
    number: fc.integer({ min: 1_000_000, max: 9_000_000 }),
    period: fc.integer({ min: 1, max: 5 }),
  });
  const at = 1_790_000_000_123;

  it('is that of the SDK or up to an epoch’s rounding earlier, never later', () => {
    fc.assert(
      fc.property(schedule, ({ netuid, tempo, number, period }) => {
        const index = Math.floor((number + netuid + 1) / (tempo + 1));
        // An epoch of spec 299 … 403 runs in the last block of its index.
        const nextEpochAt = (index + 1) * (tempo + 1) - (netuid + 1) - 1;
        fc.pre(nextEpochAt > number);
        const block = { number, at };
        const ours = revealRound({ ...weights, block, nextEpochAt, tempo, revealPeriodEpochs: period });
        // generate_commit of bittensor-drand 1.2.
        const target = (index + period) * (tempo + 1) - (netuid + 1) + 3;
        const theirs = Math.floor((at / 1000 + (target - number) * 12 - 1_692_803_367) / 3);
        expect(theirs - ours).toBeGreaterThanOrEqual(0);
        expect(theirs - ours).toBeLessThanOrEqual(period * 4);
      }),
    );
  });

  it('has been published before a runtime of the older kind looks, which it does once', () => {
    fc.assert(
      fc.property(schedule, ({ number, tempo, period }) => {
        const nextEpochAt = number + tempo;
        const block = { number, at };
        const round = revealRound({
          ...weights,
          format: 'crv3',
          block,
          nextEpochAt,
          tempo,
          revealPeriodEpochs: period,
        });
        const published = QUICKNET.genesis + (round - 1) * QUICKNET.period;
        const looked = at / 1000 + (tempo + (period - 1) * (tempo + 1)) * 12;
        expect(looked - published).toBeGreaterThanOrEqual(72);
      }),
    );
  });
});
