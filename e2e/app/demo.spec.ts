import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { expect, test, type Page } from '@playwright/test';

const DIST = process.env['DEMO_DIST'] ?? 'dist';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/** The plainest of static hosts: files and their types, and no other header. */
async function serveFiles(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    readFile(join(DIST, path)).then(
      (bytes) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

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
  const server = await serveFiles();
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  page.on('request', (request) => {
    const { origin: host, pathname } = new URL(request.url());
    if (request.method() !== 'GET' || host !== origin || pathname.startsWith('/v1/')) elsewhere.push(request.url());
  });
  try {
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
  } finally {
    server.close();
  }
});
