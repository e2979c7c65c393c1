/** The language of the page: what was chosen on this device, else what the browser asks for, else English. */
import { i18n, type Messages } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { createSignal } from '../platform/subscribable.ts';

/** Languages that the app speaks, each by its own name. English is what the sources say. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español' } as const;
export type Language = keyof typeof LANGUAGES;

const CATALOGUES: Record<Exclude<Language, 'en'>, () => Promise<{ messages: Messages }>> = {
  de: () => import('./locales/de.po'),
  es: () => import('./locales/es.po'),
};
const STORAGE_KEY = 'gauntlet.language';
const CHANGED = 'gauntlet-language';

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

/** @param preferred language tags, the best first, as `navigator.languages` has them */
export function pickLanguage(stored: string | null, preferred: readonly string[]): Language {
  if (stored !== null && isLanguage(stored)) return stored;
  return preferred.map((tag) => tag.split('-')[0]!.toLowerCase()).find(isLanguage) ?? 'en';
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    // Storage may be forbidden; the browser's language needs none.
    return null;
  }
}

let current: Language = 'en';

/** What is shown. */
export const shownLanguage = createSignal<Language>(
  () => current,
  (changed) => {
    window.addEventListener(CHANGED, changed);
    return () => window.removeEventListener(CHANGED, changed);
  },
);

/** Loads a language and shows it; English when its catalogue cannot be loaded. */
async function show(language: Language): Promise<void> {
  let shown = language;
  let messages: Messages = {};
  if (language !== 'en') {
    try {
      ({ messages } = await CATALOGUES[language]());
    } catch {
      shown = 'en';
    }
  }
  current = shown;
  i18n.loadAndActivate({ locale: shown, messages });
  document.documentElement.lang = shown;
  window.dispatchEvent(new Event(CHANGED));
}

/** Before the first drawing. @param asked what goes before the browser's own and what was chosen */
export function startLanguage(asked?: Language): Promise<void> {
  // English texts are in the code beside their identifiers, uncompiled.
  i18n.setMessagesCompiler(compileMessage);
  return show(asked ?? pickLanguage(stored(), navigator.languages));
}

/** What a person chose; remembered on this device. */
export function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // Not remembered, then.
  }
  return show(language);
}
