import { i18n } from '@lingui/core';
import { describe, expect, it } from 'vitest';
import { GLOSSARY, TOPICS, type Entry } from './glossary.ts';
import { learnPlace } from './place.ts';
import { matching } from './search.ts';

const entries = Object.entries(GLOSSARY) as [string, Entry][];

describe('learn', () => {
  it.each([
    ['/learn', {}],
    ['/learn/tour', { step: 1 }],
    ['/learn/tour/3', { step: 3 }],
    ['/learn/tour/x', { step: 1 }],
    ['/learn/ordinal', { term: 'ordinal' }],
    ['/learn/toString', {}],
  ])('%s is a place', (location, place) => {
    expect(learnPlace(location)).toEqual(place);
  });

  it('has a word of its own for each entry, an address for it, and a topic that is listed', () => {
    const words = entries.map(([, { term }]) => i18n._(term));
    expect(new Set(words).size).toBe(words.length);
    for (const [name, { topic, short }] of entries) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(TOPICS).toHaveProperty(topic);
      // What fits a popover on a phone.
      expect(i18n._(short).length).toBeLessThan(260);
    }
  });

  it('finds a word by its name first of all, whatever the case and the accents', () => {
    expect(matching('ORDINAL')[0]).toBe('ordinal');
    expect(matching('ordínal')[0]).toBe('ordinal');
    expect(matching('chess')).toEqual(['rating']);
    expect(matching('no such word anywhere')).toEqual([]);
    expect(matching('  ')).toHaveLength(entries.length);
  });
});
