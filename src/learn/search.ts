/** Finds words of the glossary in the language that is shown. */
import { i18n } from '@lingui/core';
import { GLOSSARY, type Entry, type TermName } from './glossary.ts';

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Entries whose name has what is looked for, then those whose definition has it; all where nothing is looked for. */
export function matching(query: string): TermName[] {
  const wanted = plain(query.trim());
  const entries = Object.entries(GLOSSARY) as [TermName, Entry][];
  const named = entries.filter(([, { term }]) => plain(i18n._(term)).includes(wanted));
  const described = entries.filter((entry) => !named.includes(entry) && plain(i18n._(entry[1].short)).includes(wanted));
  return [...named, ...described].map(([name]) => name);
}
