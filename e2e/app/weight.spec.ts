import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import { Hono } from 'hono';
import { startEmulator } from '../../chain/testing/emulator/emulator.ts';
import { listen } from '../../validator/adapters/node-server.ts';
import { mountStatic } from '../../validator/adapters/static.ts';

const APP = fileURLToPath(new URL('../../dist', import.meta.url));

const MAX_FIRST_SCREEN_BYTES = 200_000;
/** Texts that minifying leaves in the chain's library, in the wallets' and in what verifies their signatures. */
const CHAIN_CODE = ['state_subscribeRuntimeVersion', '@polkadot/'];
const WALLET_CODE = ['injectedWeb3', 'SigningContext'];

interface Script {
  readonly url: string;
  /** As it came over the wire. */
  readonly bytes: number;
  readonly text: string;
}

/** Every script from now on, whoever asks for it; await what it returns for those so far. */
function collectScripts(page: Page): () => Promise<Script[]> {
  const scripts: Promise<Script>[] = [];
  page.context().on('response', (response) => {
    if (!/\.m?js($|\?)/.test(response.url())) return;
    scripts.push(
      Promise.all([response.request().sizes(), response.text()]).then(([{ responseBodySize }, text]) => ({
        url: response.url(),
        bytes: responseBodySize,
        text,
      })),
    );
  });
  return () => Promise.all(scripts);
}

const containing = (scripts: readonly Script[], code: readonly string[]): string[] =>
  scripts.filter(({ text }) => code.some((each) => text.includes(each))).map(({ url }) => url);

// What it keeps for being opened offline comes later, when the page has nothing else to do.
test.use({ serviceWorkers: 'block' });

test('the first screen is light, and what reads a chain is loaded when one is watched', async ({ page }) => {
  const emulator = await startEmulator({ blocks: 'manual' });
  const app = new Hono();
  mountStatic(app, { dir: APP, connectSources: [emulator.endpoint] });
  const server = await listen(app, { port: 0, host: '127.0.0.1' });
  try {
    const scripts = collectScripts(page);
    await page.goto(server.url);
    await expect(page.getByTestId('start')).toBeVisible();
    await page.waitForLoadState('networkidle');
    const first = await scripts();
    const bytes = first.reduce((sum, script) => sum + script.bytes, 0);
    test.info().annotations.push({ type: 'first screen', description: `${bytes} bytes of JavaScript` });
    expect(first.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(MAX_FIRST_SCREEN_BYTES);
    expect(containing(first, [...CHAIN_CODE, ...WALLET_CODE])).toEqual([]);

    // A link to a subnet shows a question and loads nothing yet.
    await page.goto(`${server.url}/#/rewards/-/${encodeURIComponent(emulator.endpoint)}/0`);
    const watch = page.getByRole('button', { name: 'Watch, read-only' });
    await expect(watch).toBeVisible();
    await page.waitForLoadState('networkidle');
    expect(containing(await scripts(), CHAIN_CODE)).toEqual([]);
    await watch.click();
    await expect(page.getByTestId('connection')).toContainText('Connected');
    expect(containing(await scripts(), CHAIN_CODE)).not.toEqual([]);
  } finally {
    await server.close();
    await emulator.close();
  }
});
