import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WalletKey } from '../../core/protocol/api.ts';
import { readSignature } from './signature.ts';
import { WalletError } from './wallet-error.ts';

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
/** The variants of a MultiSignature. */
const MULTI: readonly [WalletKey, number, number][] = [
  ['ed25519', 0, 64],
  ['sr25519', 1, 64],
  ['ecdsa', 2, 65],
];

it.each(MULTI)('an %s signature is the same with and without its MultiSignature byte', (key, byte, length) => {
  fc.assert(
    fc.property(bytes(length), fc.constantFrom(0, 1), (raw, recovery) => {
      const signature = hex(key === 'ecdsa' ? [...raw.slice(0, 64), recovery] : raw);
      expect(readSignature(`0x${signature}`, key)).toEqual({ key, signature });
      expect(readSignature(`0x${hex([byte])}${signature}`, key)).toEqual({ key, signature });
      if (key !== 'ecdsa') expect(readSignature(`0x${hex([byte])}${signature}`, undefined)).toEqual({ key, signature });
    }),
  );
});

it('without a word of its kind, 64 bytes are sr25519; Ethereum’s recovery byte becomes a bit', () => {
  expect(readSignature(`0x${'07'.repeat(64)}`, undefined).key).toBe('sr25519');
  expect(readSignature(`0x${'07'.repeat(64)}1c`, 'ecdsa').signature.slice(-2)).toBe('01');
});

it('anything else is a WalletError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string(), bytes(63).map(hex)), (answer) => {
      expect(() => readSignature(answer, 'sr25519')).toThrow(WalletError);
    }),
  );
  expect(() => readSignature(`0x${'07'.repeat(65)}`, 'sr25519')).toThrow(WalletError);
  expect(() => readSignature('07'.repeat(64), 'sr25519')).toThrow(WalletError);
});
