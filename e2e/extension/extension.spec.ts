/** The app with a real wallet extension: docs/wallets.md says how to get one and how to run this. */
import { expect, test } from '@playwright/test';
import { eventually, startValidator, withFolder, TABS_ALONE } from '../app/running-validator.ts';
import { openWithExtension } from '../wallet/extension-wallet.ts';

const FOLDER = process.env['WALLET_EXTENSION_DIR'] ?? '';

test('a real extension signs once, and its account contributes', async () => {
  test.skip(FOLDER === '', 'set WALLET_EXTENSION_DIR to an unpacked polkadot{.js} extension (docs/wallets.md)');
  test.setTimeout(300_000);
  await withFolder(async (folder) => {
    const run = ['--preset', 'micro', '--window', '9', ...TABS_ALONE];
    const validator = await startValidator(folder, run);
    const wallet = await openWithExtension(FOLDER);
    try {
      await wallet.importAccount(
        'Gauntlet',
        'bottom drive obey lake curtain smoke basket hold race lonely fit walk//Gauntlet',
      );
      const page = await wallet.context.newPage();
      await page.goto(`${validator.url}/?backend=wasm`);
      await page.getByTestId('connect-wallet').click();
      await page.getByTestId('wallet-polkadot-js').click();
      await wallet.authorize();
      await page.locator('[data-testid^="account-"]').first().click();
      const text = (await page.getByRole('region', { name: 'The text that you sign' }).textContent())!;
      const hotkey = /Hotkey: (\S+)/.exec(text)![1]!;

      await page.getByTestId('wallet-sign').click();
      await wallet.answerSigning('cancel');
      await expect(page.getByTestId('wallet-failure')).toContainText(/said no|cancel/i);
      await page.getByTestId('wallet-sign').click();
      const shown = await wallet.answerSigning('sign');
      // It shows the person what is signed, though it breaks the lines as it likes.
      expect(shown.replaceAll(/\s+/g, '')).toContain(`Hotkey:${hotkey}`);
      await page.getByTestId('wallet-done').click();

      await page.getByTestId('start').click();
      const peer = await eventually(
        async () => {
          const state = await validator.api.peer(hotkey).catch(() => undefined);
          return state && state.contributions.accepted >= 2 && state;
        },
        120_000,
        'two windows under the extension’s account',
      );
      expect(peer.verdicts.filter(({ check, pass }) => check === 'signature' && !pass)).toEqual([]);
      await page.getByTestId('revoke').click();
      await page.getByTestId('revoke-confirm').click();
      await expect(page.getByTestId('wallet-ended')).toContainText('Revoked');
    } finally {
      await wallet.close();
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
