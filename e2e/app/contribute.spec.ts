import { expect, test } from '@playwright/test';
import { eventually, startValidator, withFolder } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '8', '--peers', '1', '--attackers', '0', '--port', '0'];

test('one tab of several trains, it is taken over, goes on after a reload, and finishes its window', async ({
  context,
}) => {
  test.setTimeout(200_000);
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    try {
      const first = await context.newPage();
      await first.goto(`${validator.url}/?backend=wasm`);
      // Before anything is downloaded it says what it takes.
      await expect(first.getByTestId('preflight').locator('[data-id="download"]')).toHaveAttribute(
        'data-verdict',
        'good',
      );
      await first.getByTestId('start').click();
      await expect(first.getByTestId('loss')).toHaveText(/^\d/, { timeout: 60_000 });

      const second = await context.newPage();
      await second.goto(`${validator.url}/?backend=wasm`);
      await second.getByTestId('take-over').click({ timeout: 20_000 });
      await expect(second.getByTestId('loss')).toHaveText(/^\d/, { timeout: 60_000 });
      await expect(first.getByTestId('other-tab')).toBeVisible({ timeout: 20_000 });
      await first.close();

      // It was training when it was reloaded: it says so and goes on without a click.
      await second.reload();
      await expect(second.getByTestId('do-not-come-back')).toBeVisible({ timeout: 20_000 });
      await expect(second.getByTestId('loss')).toHaveText(/^\d/, { timeout: 60_000 });

      await second.getByTestId('finish').click();
      await expect(second.getByTestId('start')).toBeVisible({ timeout: 60_000 });
      await expect(second.locator('[data-testid="receipts"] li').first()).toBeVisible();
      const window = Number(await second.locator('[data-testid="receipts"] li').first().getAttribute('data-window'));
      await eventually(
        async () => (await validator.api.clock()).window > window + 1,
        60_000,
        'a window after the one that was finished',
      );
      expect((await validator.api.window(window)).contributions).toHaveLength(2);
      expect((await validator.api.window(window + 1)).contributions).toHaveLength(1);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
