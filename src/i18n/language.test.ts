import { describe, expect, it } from 'vitest';
import { pickLanguage } from './language.ts';

describe('language', () => {
  it.each([
    ['es', ['de-DE'], 'es'],
    [null, ['de-AT', 'en'], 'de'],
    [null, ['fr', 'es-MX', 'en'], 'es'],
    ['xx', ['fr'], 'en'],
    [null, [], 'en'],
  ] as const)('of %j and %j is %s', (stored, preferred, expected) => {
    expect(pickLanguage(stored, preferred)).toBe(expected);
  });
});
