import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { collectViolations } from '../violations.ts';
import { startValidator, withFolder, TABS_ALONE } from './running-validator.ts';

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

/** Another site, with a page that frames what it is given. */
async function siteFraming(urls: readonly string[]): Promise<{ readonly url: string; readonly server: Server }> {
  const frames = urls.map((url, i) => `<iframe title="frame ${i}" src="${url}" width="380" height="260"></iframe>`);
  const html = `<!doctype html><html lang="en"><title>Another site</title><h1>Another site</h1>${frames.join('')}</html>`;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // By another name than the validator: another site.
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, server };
}

async function takeTheTour(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Take the tour' }).click();
  await expect(page.getByTestId('tour-figure')).toContainText(/This is window \d/);
  const next = page.getByRole('button', { name: 'Next' });
  for (let step = 2; step <= 7; step++) {
    if (step % 2 === 0) await next.press('Enter');
    else await page.keyboard.press('ArrowRight');
    await expect(page.locator('[data-step] h3')).toBeFocused();
    await expect(page.getByText(`Step ${step} of 7`)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Leave the tour' }).click();
  await expect(page.getByRole('button', { name: 'Take the tour' })).toBeFocused();
}

/** Hovered, left towards the definition, closed by the keyboard, and followed. */
async function lookUpAWord(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'audit', exact: true }).hover();
  const definition = page.locator('[popover]');
  await expect(definition).toContainText('Computing a window’s scores again');
  await definition.hover();
  await page.waitForTimeout(500);
  await expect(definition).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(definition).toHaveCount(0);
  await page.getByRole('button', { name: 'audit', exact: true }).click();
  await page.getByRole('link', { name: 'More in the glossary' }).click();
  await expect(page.locator('#term-audit')).toBeFocused();
}

async function settle(page: Page, validator: string): Promise<void> {
  await expect(page.getByTestId('validator-address')).toHaveText(`${validator}/`);
  await expect(page.getByTestId('version')).toHaveText(/^\d+\.\d+\.\d+/);
  await expect(page.getByTestId('build-hash')).toHaveText(/^[0-9a-f]{64}$/);
  await expect(page.getByTestId('build-verdict')).toHaveText('Everything that this page executes belongs to it.');
  await expectAccessible(page);
  const saving = page.waitForEvent('download');
  await page.getByTestId('report-save').click();
  const report = await readFile(await (await saving).path(), 'utf8');
  expect(report).toContain(`validator: ${validator}/`);

  const hotkey = page.getByTestId('hotkey');
  await expect(hotkey).toHaveText(/^5/);
  const before = await hotkey.textContent();
  expect(report).not.toContain(before!);
  await page.getByTestId('clear-guest-key').click();
  const keep = page.getByRole('button', { name: 'Keep it' });
  await expect(keep).toBeFocused();
  await keep.press('Enter');
  await expect(page.getByTestId('clear-guest-key')).toBeFocused();
  await expect(hotkey).toHaveText(before!);
  await page.getByTestId('clear-guest-key').click();
  await page.getByTestId('clear-guest-key-confirm').click();
  await expect(page.getByText('Cleared: Guest key.')).toBeVisible();
  await expect(hotkey).not.toHaveText(before!);
}

test('Learn explains, Settings clears and reports, and other sites may frame the widget alone', async ({ page }) => {
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, ['--preset', 'micro', ...TABS_ALONE]);
    const site = await siteFraming([`${validator.url}/embed.html`, `${validator.url}/`]);
    try {
      const violations = await collectViolations(page);
      await page.goto(`${validator.url}/#/learn`);
      await takeTheTour(page);
      await lookUpAWord(page);
      await page.goto(`${validator.url}/#/settings`);
      await settle(page, validator.url);

      const refused: string[] = [];
      page.on('console', (message) => refused.push(message.text()));
      await page.goto(site.url);
      const widget = page.locator('iframe').first().contentFrame();
      await expect(widget.getByRole('heading', { name: /micro/ })).toBeVisible();
      await expect(widget.getByText('Loss', { exact: true }).first()).toBeVisible();
      await expect.poll(() => refused.join(' ')).toContain('frame-ancestors');
      await page.goto(`${validator.url}/embed.html?theme=dark`);
      await expect(page.getByRole('heading', { name: /micro/ })).toBeVisible();
      await expectAccessible(page);
      expect(violations).toEqual([]);
    } finally {
      site.server.close();
      await validator.interrupt();
    }
  });
});
