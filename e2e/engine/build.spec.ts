/** The engine as a build ships it: bundled, under the policy that the build writes into its pages, and isolated. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { expect, test } from '@playwright/test';
import { build } from 'vite';
import { someBatch, someParameters, TINY, TINY_SEQUENCES } from './cases.ts';
import { openHarness } from './driver.ts';

const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

let folder: string;
let server: Server;
let origin: string;

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-build-'));
  await build({
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, rolldownOptions: { input: 'e2e/engine/harness.html' } },
  });
  server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://host').pathname);
    readFile(join(folder, path)).then(
      (bytes) => response.writeHead(200, { ...HEADERS, 'content-type': TYPES[extname(path)] ?? '' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

test.afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

test('each runtime is there once, outside of the scripts', async () => {
  const assets = await readdir(join(folder, 'assets'));
  const runtimes = assets
    .map((name) => name.replace(/-[\w-]{8}(\.\w+)$/, '$1'))
    .filter((name) => /\.(wasm|mjs)$/.test(name));
  expect(runtimes.sort()).toEqual([
    'ort-wasm-simd-threaded.asyncify.mjs',
    'ort-wasm-simd-threaded.asyncify.wasm',
    'ort-wasm-simd-threaded.mjs',
    'ort-wasm-simd-threaded.wasm',
  ]);
  for (const name of assets.filter((name) => name.endsWith('.js'))) {
    const text = await readFile(join(folder, 'assets', name), 'utf8');
    expect(text.includes('em-pthread'), name).toBe(false);
  }
});

for (const [backend, engine] of [
  ['wasm', 'onnxruntime'],
  ['webgpu', 'own'],
  ['webgpu', 'onnxruntime'],
] as const) {
  test(`the built worker computes on ${backend} (${engine})`, async ({ page }) => {
    const violations: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) violations.push(message.text());
    });
    const web = await openHarness(page, origin);
    await web.createEvaluator(await web.chooseBackend(backend), { config: TINY, sequences: TINY_SEQUENCES, engine });
    await web.setParameters(someParameters(TINY));
    const { sum, count } = await web.loss(someBatch(TINY, TINY_SEQUENCES, 'built'));
    expect(sum / count).toBeGreaterThan(1);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    expect(await web.threads()).toBe(backend === 'wasm' ? Math.min(8, cores) - 1 : 0);
    await web.dispose();
    expect(violations).toEqual([]);
  });
}
