/** A real wallet, unpacked, in Chromium: polkadot{.js}'s extension, worked through its own pages as a person does. */
import { chromium, expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { CHROMIUM } from '../chromium.ts';

const PASSWORD = 'a password of this test';

export interface ExtensionWallet {
  readonly context: BrowserContext;
  /** Imports a secret URI as an account. */
  importAccount(name: string, secretUri: string): Promise<void>;
  /** Answers the request of a page to see the accounts: gives it all of them. */
  authorize(): Promise<void>;
  /** Reads what the wallet shows of a signing request, then signs or cancels it. */
  answerSigning(answer: 'sign' | 'cancel'): Promise<string>;
  close(): Promise<void>;
}

/** @param folder of the unpacked extension: the one with manifest.json */
export async function openWithExtension(folder: string): Promise<ExtensionWallet> {
  const context = await chromium.launchPersistentContext('', {
    ...CHROMIUM,
    // Playwright's own switch would leave this one out as well.
    ignoreDefaultArgs: ['--disable-extensions'],
    args: [...(CHROMIUM.args ?? []), `--disable-extensions-except=${folder}`, `--load-extension=${folder}`],
  });
  const [running] = context.serviceWorkers();
  const { host } = new URL((running ?? (await context.waitForEvent('serviceworker'))).url());
  const address = (path: string): string => `chrome-extension://${host}/${path}`;

  async function onPage<T>(path: string, work: (page: Page) => Promise<T>): Promise<T> {
    const page = await context.newPage();
    try {
      await page.goto(address(path));
      return await work(page);
    } finally {
      await page.close();
    }
  }

  /** What is asked of the person waits in the extension; a page of it that was opened before may not hear of it. */
  function request<T>(waitsFor: (page: Page) => Locator, work: (page: Page) => Promise<T>): Promise<T> {
    return onPage('notification.html', async (page) => {
      // News of its makers, until somebody has read them.
      const notice = page.getByText('I Understand');
      const asked = waitsFor(page);
      await expect(async () => {
        await page.reload();
        await expect(notice.or(asked).first()).toBeVisible({ timeout: 2_000 });
        if (await notice.isVisible()) await notice.click();
        await expect(asked).toBeVisible({ timeout: 2_000 });
      }).toPass({ timeout: 30_000 });
      return work(page);
    });
  }

  return {
    context,
    importAccount: (name, secretUri) =>
      onPage('index.html', async (page) => {
        const welcome = page.getByText('Understood, let me continue');
        await welcome.or(page.getByText('Add Account')).first().waitFor();
        if (await welcome.isVisible()) await welcome.click();
        await page.goto(address('index.html#/account/import-seed'));
        await page.locator('textarea').fill(secretUri);
        await page.getByRole('button', { name: 'Next' }).click();
        const fields = page.locator('input');
        await fields.nth(0).fill(name);
        await fields.nth(1).fill(PASSWORD);
        // It comes with a password that is long enough.
        await fields.nth(2).fill(PASSWORD);
        await page.getByRole('button', { name: 'Add the account' }).click();
        await page.locator('textarea').or(fields).first().waitFor({ state: 'detached' });
      }),
    authorize: () =>
      request(
        (page) => page.getByRole('button', { name: /^Connect/ }),
        async (page) => {
          await page.getByText('Select all').click();
          await page.getByRole('button', { name: /^Connect/ }).click();
          await page.getByRole('button', { name: /^Connect/ }).waitFor({ state: 'detached' });
        },
      ),
    answerSigning: (answer) =>
      request(
        (page) => page.getByText('Sign the message').first(),
        async (page) => {
          const shown = await page.locator('body').innerText();
          if (answer === 'cancel') await page.getByText('Cancel', { exact: true }).click();
          else {
            await page.locator('input[type=password]').fill(PASSWORD);
            await page.getByRole('button', { name: 'Sign the message' }).click();
          }
          await page.getByText('Sign the message').first().waitFor({ state: 'detached' });
          return shown;
        },
      ),
    close: () => context.close(),
  };
}
