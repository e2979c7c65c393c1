/** Light, dark, or as the system says; the choice is remembered on this device. */
import { createSignal } from './subscribable.ts';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

const STORAGE_KEY = 'gauntlet.theme';
const CHANGED = 'gauntlet-theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    // Storage may be forbidden; the system's theme needs none.
    return 'system';
  }
}

let current: Theme | undefined;

export function applyTheme(theme: Theme = stored()): void {
  current = theme;
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // Not remembered, then.
  }
  window.dispatchEvent(new Event(CHANGED));
}

/** The choice. */
export const themeChoice = createSignal<Theme>(
  () => current ?? stored(),
  (changed) => {
    window.addEventListener(CHANGED, changed);
    return () => window.removeEventListener(CHANGED, changed);
  },
);

/** What is shown, for what CSS does not paint. */
export const shownTheme = createSignal<'light' | 'dark'>(
  () => {
    const choice = themeChoice.get();
    if (choice !== 'system') return choice;
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  },
  (changed) => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', changed);
    window.addEventListener(CHANGED, changed);
    return () => {
      media.removeEventListener('change', changed);
      window.removeEventListener(CHANGED, changed);
    };
  },
);
