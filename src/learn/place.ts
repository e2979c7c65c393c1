/** What the Learn screen shows, from its part of the address. */
import { GLOSSARY, type TermName } from './glossary.ts';

export interface LearnPlace {
  /** The tour's step, from 1. */
  readonly step?: number;
  readonly term?: TermName;
}

function isTerm(word: string): word is TermName {
  return Object.hasOwn(GLOSSARY, word);
}

/** @param location `/learn`, `/learn/tour/3` or `/learn/ordinal`; whatever else is the screen as it begins */
export function learnPlace(location: string): LearnPlace {
  const [word, step] = location.split('/').slice(2);
  if (word === undefined) return {};
  if (word === 'tour') return { step: /^[1-9]\d?$/.test(step ?? '') ? Number(step) : 1 };
  return isTerm(word) ? { term: word } : {};
}
