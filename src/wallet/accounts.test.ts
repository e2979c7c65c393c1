import { encodeAddress } from '@polkadot/util-crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readAccounts, withPrefix42 } from './accounts.ts';

const KEY = fc.uint8Array({ minLength: 32, maxLength: 32 });

it('addresses of any network become those of prefix 42', () => {
  fc.assert(
    fc.property(KEY, fc.integer({ min: 0, max: 16_383 }), (key, prefix) => {
      // Reserved, and refused by the other implementation.
      fc.pre(prefix !== 46 && prefix !== 47);
      expect(withPrefix42(encodeAddress(key, prefix))).toBe(encodeAddress(key, 42));
    }),
  );
});

it('what is no address is none, and a wrong letter is noticed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(withPrefix42(text)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(KEY, fc.nat({ max: 46 }), (key, place) => {
      const address = encodeAddress(key, 42);
      const letter = address[place] === 'a' ? 'b' : 'a';
      expect(withPrefix42(address.slice(0, place) + letter + address.slice(place + 1))).toBeUndefined();
    }),
  );
});

it('accounts are read as a stranger’s: what is none is left out, what is Ethereum’s says why', () => {
  const key = new Uint8Array(32).fill(7);
  const own = encodeAddress(key, 42);
  const ethereum = `0x${'ab'.repeat(20)}`;
  const answer = [
    { address: encodeAddress(key, 0), name: ' Polkadot form ', type: 'ed25519' },
    { address: own, name: 'the same again' },
    { address: ethereum, name: 'E', type: 'ethereum' },
    { address: 'not an address' },
    { name: 'nothing' },
    null,
    7,
  ];
  expect(readAccounts(answer)).toEqual([
    { address: own, walletAddress: encodeAddress(key, 0), name: 'Polkadot form', key: 'ed25519' },
    {
      address: ethereum,
      walletAddress: ethereum,
      name: 'E',
      key: undefined,
      unsupported: expect.stringContaining('Ethereum') as string,
    },
  ]);
  fc.assert(fc.property(fc.anything(), (anything) => void readAccounts(anything)));
  fc.assert(fc.property(fc.array(fc.anything()), (anything) => void readAccounts(anything)));
});
