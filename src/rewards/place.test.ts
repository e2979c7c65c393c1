import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../core/identity/ss58.ts';
import { formatPlace, MAX_SUBJECTS, parsePlace, parseSubject } from './place.ts';

const address = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeAddress);
const uid = fc.integer({ min: 0, max: 65_535 }).map(String);
const network = fc.constantFrom('finney', 'test', 'ws://127.0.0.1:9944', 'wss://node.example:443/path?key=a,b%2F');

describe('parseSubject', () => {
  it('tells uids from addresses, and either from anything else', () => {
    const alice = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
    expect(parseSubject('0')).toEqual({ kind: 'uid', uid: 0 });
    expect(parseSubject('65535')).toEqual({ kind: 'uid', uid: 65_535 });
    expect(parseSubject(alice)).toEqual({ kind: 'address', address: alice });
    // One letter of the checksum changed.
    for (const text of ['', '-1', '007', '65536', '1.5', `${alice.slice(0, -1)}Z`, '0x00']) {
      expect(parseSubject(text), text).toBeUndefined();
    }
  });
});

describe('place', () => {
  it('comes back out of the address bar', () => {
    const place = fc.record({
      subjects: fc.uniqueArray(fc.oneof(uid, address), { maxLength: MAX_SUBJECTS }),
      subnet: fc.option(fc.record({ network, netuid: fc.integer({ min: 0, max: 65_535 }) }), { nil: undefined }),
    });
    fc.assert(
      fc.property(place, (each) => {
        expect(parsePlace(formatPlace(each))).toEqual(each);
      }),
    );
  });

  it('is one in any case', () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        const { subjects, subnet } = parsePlace(`/rewards/${rest}`);
        expect(subjects.every((text) => parseSubject(text) !== undefined)).toBe(true);
        expect(parsePlace(formatPlace({ subjects, subnet }))).toEqual({ subjects, subnet });
      }),
    );
  });

  it('leaves out what makes no sense', () => {
    expect(parsePlace('/rewards')).toEqual({ subjects: [], subnet: undefined });
    expect(parsePlace('/rewards/3,3,x,%')).toEqual({ subjects: [], subnet: undefined });
    expect(parsePlace('/rewards/3,3,x,4')).toEqual({ subjects: ['3', '4'], subnet: undefined });
    expect(parsePlace('/rewards/3/javascript%3Aalert/1').subnet).toBeUndefined();
    expect(parsePlace('/rewards/3/finney/65536').subnet).toBeUndefined();
    for (const network of ['finny', 'toString', 'ws%3A%2F%2F%5B']) {
      expect(parsePlace(`/rewards/3/${network}/1`).subnet, network).toBeUndefined();
    }
  });
});
