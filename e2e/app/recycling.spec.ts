import { expect, test, type Worker } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { eventually, startValidator, withFolder, TABS_ALONE } from './running-validator.ts';
import { onTrainer } from '../trainer-worker.ts';

const RUN = ['--preset', 'micro', '--window', '5', ...TABS_ALONE];

test('a worker is replaced every two windows, its momentum goes on, and pause and throttle last', async ({ page }) => {
  test.setTimeout(300_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const trainers: Worker[] = [];
  let closed = 0;
  onTrainer(page, (worker) => {
    trainers.push(worker);
    worker.on('close', () => closed++);
  });
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    const delivered = async (): Promise<number[]> => {
      const { peers } = await validator.api.leaderboard();
      if (peers.length === 0) return [];
      return (await validator.api.peer(peers[0]!.hotkey)).receipts
        .map(({ receipt }) => receipt.window)
        .toSorted((a, b) => a - b);
    };
    try {
      await page.goto(`${validator.url}/?backend=wasm&recycle=2`);
      await page.getByTestId('throttle').fill('50');
      await page.getByTestId('start').click();

      await eventually(async () => (await delivered()).length >= 5, 150_000, 'five deliveries');
      expect(trainers.length).toBeGreaterThanOrEqual(3);
      expect(closed).toBe(trainers.length - 1);
      const windows = await delivered();
      expect(new Set(windows).size).toBe(windows.length);
      // A fresh worker is ready before the next window begins, or misses that one at most.
      expect(windows.at(-1)! - windows[0]! + 1 - windows.length).toBeLessThanOrEqual(2);
      // The worker that runs now took up the state that the one before it saved after its second delivery.
      await expect(page.getByTestId('momentum-window')).toHaveText(String(windows[2 * (trainers.length - 1) - 1]));

      await page.getByTestId('pause').click();
      await expect(page.locator('[data-status="paused"]')).toBeVisible({ timeout: 20_000 });
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const { window } = await validator.api.clock();
      await eventually(async () => (await validator.api.clock()).window > window + 1, 60_000, 'two windows to pass');
      expect((await delivered()).filter((each) => each > window)).toEqual([]);
      await page.getByTestId('resume').click();
      await eventually(async () => (await delivered()).at(-1)! > window, 60_000, 'a delivery after the pause');

      await page.getByTestId('stop').click();
      await expect(page.getByTestId('start')).toBeVisible({ timeout: 30_000 });
      await page.reload();
      await expect(page.getByTestId('throttle')).toHaveValue('50');
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
  expect(problems).toEqual([]);
});
