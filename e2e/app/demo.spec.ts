import { expect, test, type Page } from '@playwright/test';
import { withStaticHost } from '../static-host.ts';
import { collectViolations } from '../violations.ts';

/** Shares of the weight by name, as the page shows them. */
async function standings(page: Page): Promise<ReadonlyMap<string, number>> {
  const texts = await page.getByTestId('standings').getByRole('listitem').allTextContents();
  return new Map(
    texts.map((text) => /([a-z-]+-\d) ([\d.]+)\s?%/.exec(text)).map((found) => [found![1]!, Number(found![2])]),
  );
}

test('a demonstration on a static host: windows are judged, and a cheat that is switched on is caught', async ({
  page,
}) => {
  test.setTimeout(120_000);
  const problems: string[] = [];
  const elsewhere: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const violations = await collectViolations(page);
  await withStaticHost(async (origin) => {
    page.on('request', (request) => {
      const { origin: host, pathname } = new URL(request.url());
      if (request.method() !== 'GET' || host !== origin || pathname.startsWith('/v1/')) elsewhere.push(request.url());
    });
    await page.goto(`${origin}/?demo`);
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
    await page.getByRole('switch', { name: 'Poisoner' }).check();
    await expect(async () => {
      const weights = await standings(page);
      expect(weights.get('sign-flip-1')).toBe(0);
      const honest = [...weights].filter(([name]) => name.startsWith('honest')).map(([, weight]) => weight);
      expect(honest.reduce((sum, weight) => sum + weight, 0)).toBeGreaterThan(90);
      // Last: below every honest peer.
      expect([...weights.keys()].at(-1)).toBe('sign-flip-1');
    }).toPass({ timeout: 90_000, intervals: [1_000] });
    expect(elsewhere).toEqual([]);
    expect(problems).toEqual([]);
    expect(violations).toEqual([]);
  });
});
