import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import { Hono } from 'hono';
import { listen } from '../../validator/adapters/node-server.ts';
import { mountStatic } from '../../validator/adapters/static.ts';
import { withStaticHost } from '../static-host.ts';

const APP = fileURLToPath(new URL('../../dist', import.meta.url));

/** One byte that changes nothing of what a script or a sheet does: only its hash can tell. */
function withAnotherByte(bytes: Buffer): Buffer {
  const altered = Buffer.from(bytes);
  altered[altered.length - 1] = ' '.charCodeAt(0);
  return altered;
}

/** A busy machine takes its time to read a runtime. */
const PATIENTLY = { timeout: 30_000 };

const REFUSED = 'is not the file that this page was built with';
const NOT_STARTED = /This page has not started/;

const FILES: readonly {
  readonly what: string;
  readonly file: RegExp;
  readonly address?: string;
  readonly see: (page: Page) => Promise<void>;
}[] = [
  {
    what: 'the first script',
    file: /\/index-[\w-]+\.js$/,
    see: (page) => expect(page.getByText(NOT_STARTED)).toBeVisible(PATIENTLY),
  },
  {
    what: 'a script that the first imports',
    file: /\/queries-[\w-]+\.js$/,
    see: (page) => expect(page.getByText(NOT_STARTED)).toBeVisible(PATIENTLY),
  },
  {
    what: 'the stylesheet',
    file: /\.css$/,
    see: (page) => expect(page.getByText(NOT_STARTED)).toBeVisible(),
  },
  {
    what: 'a screen that is loaded when it is opened',
    file: /\/settings-screen-[\w-]+\.js$/,
    address: '#/settings',
    see: (page) => expect(page.getByText('A part of this page did not load')).toBeVisible(),
  },
  {
    what: 'a worker',
    file: /\/demo-worker-[\w-]+\.js$/,
    address: '?demo',
    see: (page) => expect(page.getByText(REFUSED).first()).toContainText('demo-worker', PATIENTLY),
  },
  {
    what: 'the runtime’s script',
    file: /\.mjs$/,
    address: '?demo',
    see: (page) => expect(page.getByText(REFUSED).first()).toContainText('ort-wasm-simd-threaded', PATIENTLY),
  },
  {
    what: 'the runtime’s module',
    file: /\.wasm$/,
    address: '?demo',
    see: (page) => expect(page.getByText(REFUSED).first()).toContainText('ort-wasm-simd-threaded', PATIENTLY),
  },
];

test.describe('an altered file', () => {
  // What an earlier visit left would be served instead.
  test.use({ serviceWorkers: 'block' });

  for (const { what, file, address = '', see } of FILES) {
    test(`${what}, with one byte changed, is not run, and the page says so`, async ({ page }) => {
      const altered: string[] = [];
      await withStaticHost(
        async (origin) => {
          await page.goto(`${origin}/${address}`);
          await see(page);
        },
        (bytes, path) => {
          if (!file.test(path)) return bytes;
          altered.push(path);
          return withAnotherByte(bytes);
        },
      );
      expect(altered).not.toEqual([]);
    });
  }
});

/** What came of each way to make a text a script. */
function tryToInject(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    // What the debugger runs at once may evaluate texts; what comes later is as any script.
    await new Promise((resolve) => setTimeout(resolve));
    const attempts: Record<string, () => unknown> = {
      markup: () => (document.body.innerHTML = '<img src=x onerror="window.injected = true">'),
      worker: () => new Worker(URL.createObjectURL(new Blob(['']))),
      script: () => (document.createElement('script').src = '/assets/x.js'),
      inline: () => (document.createElement('script').text = 'window.injected = true'),
      evaluated: () => Reflect.construct(Function, ['window.injected = true']),
      policy: () =>
        (window as unknown as { trustedTypes: { createPolicy: (name: string) => void } }).trustedTypes.createPolicy(
          'mine',
        ),
      'service worker': () => navigator.serviceWorker.register('/sw.js?another'),
      // A script of this very site that no page names.
      imported: () => import(new URL('/sw.js?unnamed', location.href).href),
    };
    const outcomes: Record<string, string> = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        outcomes[name] = 'done';
      } catch (error) {
        outcomes[name] = (error as Error).name;
      }
    }
    return { ...outcomes, injected: String('injected' in window) };
  });
}

test('no text becomes markup, a script or a worker', async ({ page }) => {
  const app = new Hono();
  mountStatic(app, { dir: APP });
  const server = await listen(app, { port: 0, host: '127.0.0.1' });
  try {
    await page.goto(server.url);
    await expect(page.getByTestId('start')).toBeVisible();
    expect(await tryToInject(page)).toEqual({
      markup: 'TypeError',
      worker: 'TypeError',
      script: 'TypeError',
      inline: 'TypeError',
      evaluated: 'EvalError',
      policy: 'TypeError',
      'service worker': 'TypeError',
      imported: 'TypeError',
      injected: 'false',
    });
    await expect(page.getByTestId('start')).toBeVisible();
  } finally {
    await server.close();
  }
});
