/** What another site may ask of the widget: `?validator=URL&theme=light|dark|auto&peer=HOTKEY&lang=en`. */
import { isLanguage, type Language } from '../i18n/language.ts';

export interface WidgetParameters {
  readonly validatorUrl: string;
  readonly theme: 'light' | 'dark' | 'auto';
  /** SS58. */
  readonly peer: string | undefined;
  readonly language: Language | undefined;
}

const HOTKEY = /^[1-9A-HJ-NP-Za-km-z]{46,50}$/;
const THEMES = ['light', 'dark'] as const;

/** What is no address, theme, hotkey or language is left out: a widget on somebody's site shows what it can. */
export function widgetParameters(href: string): WidgetParameters {
  const page = new URL(href);
  const of = (name: string): string | undefined => page.searchParams.get(name) ?? undefined;
  const validator = of('validator');
  const url = validator !== undefined && URL.canParse(validator) ? new URL(validator) : undefined;
  const [peer, language] = [of('peer'), of('lang')];
  return {
    validatorUrl: url?.protocol === 'https:' || url?.protocol === 'http:' ? url.href : `${page.origin}/`,
    theme: THEMES.find((theme) => theme === of('theme')) ?? 'auto',
    peer: peer !== undefined && HOTKEY.test(peer) ? peer : undefined,
    language: language !== undefined && isLanguage(language) ? language : undefined,
  };
}

/** Where the widget is, beside the app's page. @param page the app's address */
export function widgetUrl(page: string, { validatorUrl, theme, peer }: Omit<WidgetParameters, 'language'>): string {
  const url = new URL('embed.html', page);
  if (new URL(validatorUrl).origin !== url.origin) url.searchParams.set('validator', validatorUrl);
  if (theme !== 'auto') url.searchParams.set('theme', theme);
  if (peer !== undefined) url.searchParams.set('peer', peer);
  return url.href;
}
