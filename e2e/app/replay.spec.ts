import { expect, test } from '@playwright/test';
import { withStaticHost } from '../static-host.ts';
import { collectViolations } from '../violations.ts';

test('a recording on a static host: the run as it stood after any of its windows, and no way to take part', async ({
  page,
}) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const violations = await collectViolations(page);
  await withStaticHost(async (origin) => {
    await page.goto(`${origin}/?replay`);
    const scrubber = page.getByTestId('scrubber');
    const last = await scrubber.getAttribute('max');
    await expect(page.getByTestId('caught-chart')).toHaveAttribute('aria-valuemax', last!);
    await expect(page.getByRole('link', { name: 'Contribute', exact: true })).toHaveCount(0);
    await expect(page.getByTestId('talk')).toHaveCount(0);

    await scrubber.fill('2');
    await expect(page.getByTestId('caught-chart')).toHaveAttribute('aria-valuemax', '2');
    await page.getByRole('link', { name: 'Leaderboard', exact: true }).click();
    await expect(page.getByText('after window 2', { exact: true })).toBeVisible();
    await page.getByTestId('replay-play').click();
    await expect(page.getByText('after window 4', { exact: true })).toBeVisible({ timeout: 10_000 });
    await page.getByTestId('replay-play').click();
    await scrubber.fill(last!);
    // Cheats were found out by then.
    await expect(page.getByRole('link', { name: /^honest-\d$/ }).first()).toBeVisible();

    await page.goto(`${origin}/?replay=${encodeURIComponent('manifest.webmanifest')}`);
    await expect(page.getByTestId('replay')).toContainText('This file is no recording');
  });
  expect(problems).toEqual([]);
  expect(violations).toEqual([]);
});
