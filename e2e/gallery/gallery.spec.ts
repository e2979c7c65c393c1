import { expect, test, type Page } from '@playwright/test';
import { eventually, startValidator, withFolder, type RunningValidator } from '../app/running-validator.ts';
import { FOR_GALLERY, look, openView, sentencesOf, VIEWS } from './shots.ts';

/** Enough windows for every check to have had something to say in the pictures. */
const WINDOWS = FOR_GALLERY ? 4 : 2;
const RUN = [
  '--preset',
  'micro',
  '--window',
  '7',
  '--peers',
  '3',
  '--attack',
  'sign-flip',
  'copy-perturbed',
  '--port',
  '0',
];

/** Said by the run itself, in its own language. */
const OF_THE_RUN = /public-domain|Project Gutenberg|Public domain|PDDL/;

interface Shot {
  readonly name: string;
  readonly path: string;
  /** Until there is something to look at. */
  readonly ready: (page: Page) => Promise<void>;
}

const SCREENS: readonly Shot[] = [
  { name: 'contribute', path: '/', ready: (page) => expect(page.getByTestId('start')).toBeVisible() },
  { name: 'scores', path: '/scores', ready: settled },
  { name: 'leaderboard', path: '/leaderboard', ready: settled },
  { name: 'run', path: '/run', ready: (page) => expect(page.locator('canvas').first()).toBeVisible() },
  { name: 'rewards', path: '/rewards', ready: settled },
  { name: 'learn', path: '/learn', ready: settled },
  { name: 'settings', path: '/settings', ready: settled },
];

async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading').first()).toBeVisible();
  await page.waitForTimeout(700);
}

async function openScreen(page: Page, { url }: RunningValidator, { path, ready }: Shot): Promise<void> {
  await page.goto(`${url}/#${path}`);
  await ready(page);
}

test('every screen: accessible, no wider than its window, and in the language that was asked for', async ({
  browser,
}) => {
  test.setTimeout(900_000);
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    try {
      await eventually(async () => (await validator.api.clock()).window > WINDOWS, 150_000, `window ${WINDOWS}`);
      const spoken = new Map<string, Set<string>>();
      for (const view of VIEWS) {
        const context = await openView(browser, view);
        const page = await context.newPage();
        const failures: string[] = [];
        page.on('pageerror', (error) => failures.push(error.message));
        for (const shot of SCREENS) {
          await openScreen(page, validator, shot);
          await look(page, view, shot.name);
          const sentences = spoken.get(view.language) ?? new Set();
          for (const each of await sentencesOf(page)) sentences.add(each);
          spoken.set(view.language, sentences);
        }
        expect(failures).toEqual([]);
        await context.close();
      }
      const same = [...spoken.get('de')!].filter((text) => spoken.get('en')!.has(text) && !OF_THE_RUN.test(text));
      expect(same, 'sentences that are the same in English and German').toEqual([]);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
