import { expect, test } from 'vitest';
import { assertSpoken, formatRange, parseRange, ProtocolError, speaks, SPOKEN } from './versions.ts';

test.each(['1', '1..2', '0..9999'])('the range %s is read as it is written', (text) => {
  expect(formatRange(parseRange(text)!)).toBe(text);
});

test('one number is a range of it', () => {
  expect(parseRange('3..3')).toEqual(parseRange('3'));
});

test.each(['', '2..1', '1..', '..1', '1.0', '-1', '1..2..3', '1,2', '10000', ' 1', '٣'])('%j is no range', (text) => {
  expect(parseRange(text)).toBeUndefined();
});

test('both ends of a range are spoken', () => {
  const range = { oldest: 2, newest: 4 };
  expect([1, 2, 3, 4, 5].filter((protocol) => speaks(protocol, range))).toEqual([2, 3, 4]);
});

test('a run that is not spoken is refused, and the error says which of the two is older', () => {
  assertSpoken(SPOKEN.newest);
  const refused = (protocol: number): unknown => {
    try {
      assertSpoken(protocol);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(refused(SPOKEN.newest + 1)).toMatchObject({ name: 'ProgramTooOldError', protocol: SPOKEN.newest + 1 });
  expect(refused(SPOKEN.oldest - 1)).toMatchObject({ name: 'ProgramTooNewError' });
  expect(refused(0)).toBeInstanceOf(ProtocolError);
});
