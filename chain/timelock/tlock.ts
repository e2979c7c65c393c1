/**
 * Timelock encryption to a round of drand's quicknet, byte for byte what Subtensor's runtime reads:
 * `TLECiphertext<TinyBLS381>` with AES-GCM of the Rust crate `tle` (ideal-lab5/timelock at 5416406, which the runtime
 * pins), compressed by arkworks. Boneh-Franklin's FullIdent: the identity is the round, its secret key drand's
 * signature of the round, so that everybody can decrypt from then on and nobody before.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const { G1, G2, fields } = bls12_381;

/** Round 1, in seconds of Unix time, and seconds from one round to the next. */
export const QUICKNET = { genesis: 1_692_803_367, period: 3 } as const;
const PUBLIC_KEY = G2.Point.fromBytes(
  hexToBytes(
    '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451' +
      '0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  ),
);
const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_';
const CIPHER_SUITE = utf8ToBytes('AES_GCM_');
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const FP_BYTES = 48;

type Fp12 = ReturnType<typeof bls12_381.pairing>;

/** 8 bytes. */
function u64(value: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), littleEndian);
  return bytes;
}

/** Arkworks' form of a `Vec<u8>`. */
const vector = (bytes: Uint8Array): Uint8Array => concatBytes(u64(bytes.length, true), bytes);

/** Arkworks writes coordinates little-endian, also where points of this curve are big-endian. */
function littleEndian(element: bigint): Uint8Array {
  const bytes = new Uint8Array(FP_BYTES);
  for (let i = 0, rest = element; i < FP_BYTES; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

export function hashOfPairing({ c0, c1 }: Fp12): Uint8Array {
  const coordinates = [c0, c1].flatMap((half) => [half.c0, half.c1, half.c2].flatMap((pair) => [pair.c0, pair.c1]));
  return sha256(concatBytes(...coordinates.map(littleEndian)));
}

/** r of FullIdent: it depends on the message, so that who decrypts can check the ciphertext. */
export function scalarOf(sigma: Uint8Array, message: Uint8Array): bigint {
  const hash = sha256(concatBytes(sigma, message));
  return hash.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % fields.Fr.ORDER;
}

export const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ b[i]!);

/**
 * @param round of quicknet, from 1
 * @param random source of the AES key, sigma and the nonce, in this order
 */
export function encryptToRound(message: Uint8Array, round: number, random = randomBytes): Uint8Array {
  const key = random(KEY_BYTES);
  const sigma = random(KEY_BYTES);
  const nonce = random(NONCE_BYTES);
  const r = scalarOf(sigma, key);
  const identity = G1.hashToCurve(sha256(u64(round, false)), { DST });
  // e(Q, P)^r, by the cheaper of three places for the exponent.
  const shared = bls12_381.pairing(identity.multiply(r), PUBLIC_KEY);
  const body = concatBytes(vector(gcm(key, nonce).encrypt(message)), vector(nonce));
  return concatBytes(
    G2.Point.BASE.multiply(r).toBytes(),
    vector(xor(sigma, hashOfPairing(shared))),
    vector(xor(key, sha256(sigma))),
    vector(body),
    vector(CIPHER_SUITE),
  );
}
