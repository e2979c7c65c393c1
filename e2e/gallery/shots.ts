/**
 * The gallery: each screen and state of the app, looked at as a person would, in light and wide and in dark and
 * phone-narrow. `npm run gallery` writes the pictures to docs/gallery; the tests check each of them with axe.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';

export interface View {
  readonly name: 'wide' | 'phone';
  readonly theme: 'light' | 'dark';
  readonly language: 'en' | 'de';
  readonly size: { readonly width: number; readonly height: number };
}

export const VIEWS: readonly View[] = [
  { name: 'wide', theme: 'light', language: 'en', size: { width: 1360, height: 900 } },
  { name: 'phone', theme: 'dark', language: 'de', size: { width: 390, height: 844 } },
];

/** Where pictures go; without it none are written. */
const FOLDER = process.env['GALLERY'];
export const FOR_GALLERY = FOLDER !== undefined;

/** Each state takes seconds to provoke: a change is tested in the view that breaks first, the gallery shows all. */
export const STATE_VIEWS: readonly View[] = FOR_GALLERY ? VIEWS : VIEWS.slice(1);

/** Longer pages are cut: the picture is for looking at. */
const MAX_HEIGHT = 2_600;

export function openView(browser: Browser, view: View): Promise<BrowserContext> {
  return browser.newContext({
    viewport: view.size,
    colorScheme: view.theme,
    locale: view.language,
    reducedMotion: 'reduce',
    // With the scrollbars of a phone, which take no room.
    isMobile: view.name === 'phone',
    hasTouch: view.name === 'phone',
    // What a service worker answers, a test cannot change.
    serviceWorkers: 'block',
  });
}

export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

/** A page that scrolls sideways on a phone is broken, whatever axe says. */
async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
  }));
  expect(scroll, 'the page is no wider than its window').toBeLessThanOrEqual(client);
}

/** Checks what the page shows now and, for the gallery, takes its picture. */
export async function look(page: Page, view: View, name: string): Promise<void> {
  await test.step(`${name}, ${view.name}`, async () => {
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    if (FOLDER === undefined) return;
    await mkdir(FOLDER, { recursive: true });
    const height = Math.min(MAX_HEIGHT, await page.evaluate(() => document.documentElement.scrollHeight));
    await page.screenshot({
      path: join(FOLDER, `${name}-${view.name}-${view.theme}.jpg`),
      type: 'jpeg',
      quality: 55,
      fullPage: true,
      clip: { x: 0, y: 0, width: view.size.width, height },
    });
  });
}

/** Sentences that a person reads or a screen reader speaks, but for what the validator said in English. */
export function sentencesOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = new Set<string>();
    const note = (element: Element | null, text: string | null): void => {
      const words = text?.trim().replace(/\s+/g, ' ') ?? '';
      if (!/\p{L}{2,} \p{L}{2,}/u.test(words)) return;
      if (element?.closest('[lang]')?.getAttribute('lang') === document.documentElement.lang) found.add(words);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.parentElement?.closest('script, style, code, pre, noscript, textarea'))
        note(node.parentElement, node.nodeValue);
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
      for (const attribute of ['aria-label', 'title', 'placeholder', 'alt']) {
        note(element, element.getAttribute(attribute));
      }
    }
    return [...found];
  });
}
