/** The harness as the specs call it: the worker's functions, across the page. */
import type { Page } from '@playwright/test';
import type { HarnessApi } from './harness-worker.ts';

export type Harness = {
  [Method in keyof HarnessApi]: (
    ...args: Parameters<HarnessApi[Method]>
  ) => Promise<Awaited<ReturnType<HarnessApi[Method]>>>;
};

/** A page with a fresh worker. @param origin where a built harness is served, else the development server */
export async function openHarness(page: Page, origin = ''): Promise<Harness> {
  page.on('console', (message) => {
    if (process.env['HARNESS_LOG']) console.log(message.text());
  });
  await page.goto(`${origin}/e2e/engine/harness.html`);
  await page.waitForFunction(() => 'callEngine' in window);
  return new Proxy({} as Harness, {
    get(_, method: keyof HarnessApi | 'then') {
      // Asked for when the harness itself is awaited.
      if (method === 'then') return undefined;
      return (...args: unknown[]) =>
        page.evaluate(([method, args]) => window.callEngine(method, args), [method, args] as const);
    },
  });
}
