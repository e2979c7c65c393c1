/** What the page's policy refused while a test ran. */
import type { Page } from '@playwright/test';

/** As workers/start-worker.ts has workers say it. */
const REFUSED = 'Refused by the page’s policy:';

/** Collects from the page's documents and its workers. To be called before the first of them is loaded. */
export async function collectViolations(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  page.on('console', (message) => {
    if (message.text().startsWith(REFUSED)) found.push(message.text());
  });
  await page.addInitScript((refused) => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) =>
      console.error(refused, effectiveDirective, blockedURI, sample),
    );
  }, REFUSED);
  return found;
}
