/** A validator is upgraded while a tab trains: within its protocol, and to a run of one that the page does not speak. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { build, type Plugin } from 'vite';
import { ofVersion } from '../../simulate/testing/gauntlet-process.ts';
import { freePort } from '../../validator/adapters/testing/servers.ts';
import { startValidator, withFolder, type RunningValidator } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '6', '--peers', '0', '--attackers', '0', '--port'];

/** The page as the next version of the program builds it. */
const nextVersion: Plugin = {
  name: 'next-version',
  load: (id) =>
    id.endsWith('/core/protocol/spoken.ts')
      ? 'export const OLDEST_PROTOCOL = 1; export const NEWEST_PROTOCOL = 2;'
      : undefined,
};

async function withNextPage<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'next-page-'));
  try {
    await build({
      logLevel: 'error',
      plugins: [nextVersion],
      worker: { plugins: () => [nextVersion] },
      build: { outDir: folder, emptyOutDir: true, sourcemap: false, minify: false },
    });
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const receipts = (page: Page): ReturnType<Page['locator']> => page.getByTestId('receipts').locator('li');
const trainsAgain = async (page: Page, delivered: number): Promise<void> =>
  expect.poll(() => receipts(page).count(), { timeout: 90_000 }).toBeGreaterThan(delivered);

test('a tab outlives upgrades of its validator, or says what to do and goes on after it', async ({ page }) => {
  test.setTimeout(400_000);
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  let running: RunningValidator | undefined;
  const replaceBy = async (folder: string, environment: Record<string, string>): Promise<void> => {
    if (running) expect(await running.interrupt()).toBe(0);
    running = await startValidator(folder, [...RUN, port], [], environment);
  };
  await withFolder((folder) =>
    withNextPage(async (nextPage) => {
      try {
        const run = join(folder, 'run');
        await replaceBy(run, {});
        await page.goto(url);
        // From the second visit on the service worker answers, with the page that it has.
        await page.evaluate(async () => {
          await navigator.serviceWorker.ready;
        });
        await page.goto(`${url}/?backend=wasm`);
        expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
        await page.getByTestId('start').click();
        await trainsAgain(page, 0);

        // The run goes on in its protocol, and the tab with it.
        await replaceBy(run, ofVersion('next'));
        await trainsAgain(page, await receipts(page).count());
        await expect(page.getByTestId('take-served-version')).toHaveCount(0);

        // Another run, of a protocol that this page does not speak.
        await replaceBy(join(folder, 'next'), { ...ofVersion('next'), TEST_APP: nextPage });
        await expect(page.getByText('This page is older than the validator’s run')).toBeVisible({ timeout: 60_000 });
        await expect(page.locator('[data-status="failed"]')).toBeVisible({ timeout: 60_000 });
        await expect(page.getByRole('status').getByText('Other version')).toBeVisible();
        await page.getByTestId('take-served-version').click();
        await expect(page.getByText('This page was training when it was closed.')).toBeVisible({ timeout: 60_000 });
        await trainsAgain(page, 0);
        await page.goto(`${url}/?backend=wasm#/settings`);
        await expect(page.getByText('versions 1 to 2')).toBeVisible();

        // Taken back to before all that: the page that is served then is taken, whichever it is, and says the same.
        await replaceBy(join(folder, 'former'), ofVersion('former'));
        const newer = page.getByText('This page is newer than the validator’s run');
        await expect(newer).toBeVisible({ timeout: 60_000 });
        await page.getByTestId('take-served-version').click();
        await expect(page.getByText('versions 1 to 2')).toHaveCount(0, { timeout: 60_000 });
        await expect(newer).toBeVisible({ timeout: 60_000 });
      } finally {
        await running?.interrupt();
      }
    }),
  );
});
