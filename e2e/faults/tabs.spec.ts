/** Two tabs, of which the one that trains dies without a word; and a signature that is needed while the wallet is locked. */
import { expect, test } from '@playwright/test';
import { startValidator, withFolder, TABS_ALONE, type RunningValidator } from '../app/running-validator.ts';
import { NIGHTLY } from '../nightly.ts';
import { injectWallet } from '../wallet/injected-wallet.ts';
import { expectAcceptedAgain, expectNoFailure, openTab, pass } from './tab.ts';

const RUN = ['--preset', 'micro', '--window', '6', ...TABS_ALONE];

async function withValidator(work: (validator: RunningValidator) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    try {
      await work(validator);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
}

test('the tab that trains crashes: the other one goes on by itself', async ({ context }) => {
  test.skip(!NIGHTLY, 'app/contribute has two tabs, of which one takes over: NIGHTLY=1 runs it');
  test.setTimeout(240_000);
  await withValidator(async (validator) => {
    // Opened before any of them trained: it has to learn of that from what the other leaves behind.
    const second = await openTab(await context.newPage());
    await second.page.goto(`${validator.url}/?backend=wasm`);
    const first = await openTab(await context.newPage());
    await first.page.goto(`${validator.url}/?backend=wasm`);
    await first.page.getByTestId('start').click();
    const hotkey = await first.hotkey();
    await expect(second.page.getByTestId('other-tab')).toBeVisible({ timeout: 30_000 });
    await expectAcceptedAgain(validator, hotkey);

    const crashed = first.page.waitForEvent('crash');
    // Nobody is left to answer.
    void first.devtools.send('Page.crash').catch(() => undefined);
    await crashed;
    await expect(second.page.getByTestId('do-not-come-back')).toBeVisible({ timeout: 30_000 });
    await expectAcceptedAgain(validator, hotkey);
    await expectNoFailure(second);
  });
});

test('what was signed is no longer in force and the wallet says no: it asks, waits, and goes on once signed', async ({
  browser,
}) => {
  test.skip(!NIGHTLY, 'simulate/renewal.test.ts has the contributor’s part: NIGHTLY=1 runs it in the app');
  test.setTimeout(300_000);
  await withValidator(async (validator) => {
    const [page, elsewhere] = await Promise.all([browser.newPage(), browser.newPage()]);
    const [wallet] = await Promise.all(
      [page, elsewhere].map((each) => injectWallet(each, { key: 'test', accounts: ['//Bob'] })),
    );
    for (const each of [page, elsewhere]) await each.goto(`${validator.url}/?backend=wasm`);
    const hotkey = wallet!.addresses[0]!;
    const connect = async (each: typeof page): Promise<void> => {
      await each.getByTestId('connect-wallet').click();
      await each.getByTestId('wallet-test').click();
      await each.getByTestId(`account-${hotkey}`).click();
      await each.getByTestId('wallet-sign').click();
      await expect(each.getByTestId('wallet-dialog')).toHaveAttribute('data-step', 'connected');
      await each.keyboard.press('Escape');
    };
    await connect(page);
    await page.getByTestId('start').click();
    const tab = await openTab(page);
    await expectAcceptedAgain(validator, hotkey);

    // The same account in another browser: its key takes the place of this one’s.
    await connect(elsewhere);
    await elsewhere.getByTestId('start').click();
    await expect(page.locator('[data-status="needs-signature"]')).toBeVisible({ timeout: 120_000 });
    await elsewhere.getByTestId('stop').click();
    await expect(elsewhere.getByTestId('start')).toBeVisible({ timeout: 60_000 });
    await expect(page.getByText('Your signature is needed')).toBeVisible();
    wallet!.rejects = true;
    await page.getByTestId('sign-again').click();
    await page.getByTestId('wallet-sign').click();
    await expect(page.getByTestId('wallet-failure')).toContainText('said no');
    await pass(validator, 1);
    expect(await tab.status()).toBe('needs-signature');

    wallet!.rejects = false;
    await page.getByTestId('wallet-sign').click();
    await expect(page.getByTestId('wallet-dialog')).toHaveAttribute('data-step', 'connected');
    await expectAcceptedAgain(validator, hotkey);
    await expectNoFailure(tab);
  });
});
