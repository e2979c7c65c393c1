import { expect, test } from '@playwright/test';
import { decodeSafetensors } from '../../core/model/safetensors.ts';
import { collectViolations } from '../violations.ts';
import { eventually, startValidator, withFolder } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '4', '--peers', '2', '--attack', 'stale-model', 'noise', '--port', '0'];

test('the run screen shows who was caught, gives the model away, and a window is verified in the tab', async ({
  page,
}) => {
  test.setTimeout(240_000);
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    try {
      const caught = await eventually(
        async () => (await validator.api.windows(1, 100)).find((row) => Object.keys(row.caught).length > 0),
        60_000,
        'a window in which somebody was caught',
      );
      const violations = await collectViolations(page);
      await page.goto(`${validator.url}/#/run`);
      const chart = page.getByTestId('caught-chart');
      await expect(chart).toBeVisible();
      const newest = Number(await chart.getAttribute('aria-valuenow'));
      await expect
        .poll(async () => Number(await chart.getAttribute('aria-valuenow')), { timeout: 20_000 })
        .toBeGreaterThan(newest);

      await chart.press('Home');
      for (let window = 1; window < caught.window; window++) await chart.press('ArrowRight');
      await expect(page.getByTestId('chosen-window')).toHaveText(String(caught.window));
      const flow = page.getByTestId('flow');
      await expect(flow).toContainText('stopped: ');
      const record = await validator.api.window(caught.window);
      const [first] = record.contributions;
      await expect(flow.locator(`a[href="#/peers/${first!.hotkey}"]`)).toHaveCount(1);
      await expect(flow.getByRole('link')).not.toHaveCount(0);

      await expect(page.getByTestId('samples')).toContainText('When the morning came,');
      await page.getByTestId('talk-prompt').fill('Once upon a time');
      await page.getByTestId('talk').click();
      await expect(page.getByTestId('talk-text')).toHaveText(/^Once upon a time.{20,}/s, { timeout: 20_000 });

      const href = await page.getByTestId('weights').getAttribute('href');
      const file = new Uint8Array(await (await fetch(href!)).arrayBuffer());
      expect(decodeSafetensors(file).tensors.get('model.norm.weight')!.values).toHaveLength(64);

      await page.goto(`${validator.url}/#/scores`);
      await page.getByTestId('verify-window').fill(String(caught.window));
      await page.getByTestId('verify').click();
      await expect(page.getByTestId('verified')).toHaveAttribute('data-wrong', '0', { timeout: 90_000 });
      await expect(page.getByTestId('findings').getByRole('listitem')).not.toHaveCount(0);
      expect(violations).toEqual([]);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
