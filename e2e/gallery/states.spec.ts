/** What can go wrong, and what else the app can be: each state as a person meets it. */
import { expect, test, type Browser, type Page } from '@playwright/test';
import { startValidator, withFolder } from '../app/running-validator.ts';
import { NIGHTLY } from '../nightly.ts';
import { withStaticHost } from '../static-host.ts';
import { onTrainer } from '../trainer-worker.ts';
import { injectWallet } from '../wallet/injected-wallet.ts';
import { FOR_GALLERY, look, openView, STATE_VIEWS } from './shots.ts';

interface State {
  readonly name: string;
  /** It is slow to come: only in the long form, and for the gallery. */
  readonly slow?: true;
  /** Brings the page there. */
  readonly provoke: (page: Page, url: string) => Promise<void>;
}

/** A curve is a better picture with some more. */
const RECEIPTS = FOR_GALLERY ? 3 : 1;

const failed = (page: Page): Promise<void> =>
  expect(page.locator('[data-status="failed"]')).toBeVisible({ timeout: 180_000 });

/** As a version of the page would that stores in another form, and never lets go of it. */
function openDatabase(version: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('gauntlet', version);
    request.onsuccess = () => {
      Object.assign(globalThis, { held: request.result });
      resolve();
    };
    request.onerror = () => reject(new Error('not opened'));
  });
}

/** A run goes on behind these. */
const STATES: readonly State[] = [
  {
    name: 'quota-full',
    async provoke(page, url) {
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Storage.overrideQuotaForOrigin', { origin: url, quotaSize: 40_000 });
      await page.goto(`${url}/?backend=wasm`);
      await page.getByTestId('start').click();
      await failed(page);
    },
  },
  {
    name: 'device-lost',
    async provoke(page, url) {
      onTrainer(page, (worker) => {
        // Whenever this comes: each device is used again and again.
        void worker.evaluate(() => {
          const device = GPUDevice.prototype as {
            createCommandEncoder: (this: GPUDevice, ...options: unknown[]) => GPUCommandEncoder;
          };
          const { createCommandEncoder } = device;
          device.createCommandEncoder = function (...options) {
            setTimeout(() => this.destroy(), 300);
            return createCommandEncoder.apply(this, options);
          };
        });
      });
      await page.goto(`${url}/?backend=webgpu`);
      await page.getByTestId('start').click();
      await failed(page);
    },
  },
  {
    name: 'worker-killed',
    slow: true,
    async provoke(page, url) {
      await page.route(/\/trainer-[^/]*\.js$/, (route) => route.abort());
      await page.goto(`${url}/?backend=wasm`);
      await page.getByTestId('start').click();
      await failed(page);
    },
  },
  {
    name: 'page-older',
    async provoke(page, url) {
      await page.route(`${url}/v1/**`, async (route) => {
        if (route.request().url().endsWith('/events')) return route.abort();
        const response = await route.fetch();
        return route.fulfill({ response, headers: { ...response.headers(), 'gauntlet-protocol': '2' } });
      });
      await page.goto(url);
      await expect(page.getByTestId('take-served-version')).toBeVisible();
    },
  },
  {
    name: 'storage-newer',
    async provoke(page, url) {
      await page.goto(`${url}/docs`);
      await page.evaluate(openDatabase, 99);
      await page.goto(`${url}/?backend=wasm`);
      await page.getByTestId('start').click();
      await failed(page);
      await expect(
        page.getByText(/A newer version of this page has|Eine neuere Version dieser Seite hat/).first(),
      ).toBeVisible();
    },
  },
  {
    name: 'storage-blocked',
    async provoke(page, url) {
      const other = await page.context().newPage();
      await other.goto(`${url}/docs`);
      await other.evaluate(openDatabase, 1);
      await page.goto(`${url}/?backend=wasm`);
      await page.getByTestId('start').click();
      await failed(page);
      await expect(page.getByText(/Close the other tabs of this site|Schließe die anderen Tabs/).first()).toBeVisible();
    },
  },
  {
    name: 'clock-wrong',
    async provoke(page, url) {
      await page.clock.setSystemTime(Date.now() - 3_600_000);
      await page.goto(`${url}/#/run`);
      await expect(page.getByText(/s (?:ahead of this machine’s|vor der dieses Geräts|vor)/).first()).toBeVisible();
    },
  },
  {
    name: 'wallet-locked',
    async provoke(page, url) {
      await injectWallet(page, { key: 'mute', accounts: ['//Bob'], mute: true });
      await page.goto(url);
      await page.getByTestId('connect-wallet').click();
      await page.getByTestId('wallet-mute').click();
      await expect(page.getByTestId('wallet-dialog')).toHaveAttribute('data-step', 'connecting');
    },
  },
  {
    name: 'talking',
    async provoke(page, url) {
      await page.goto(`${url}/#/run`);
      await page.getByTestId('talk-prompt').fill('Once upon a time');
      await page.getByTestId('talk').click();
      await expect(page.getByTestId('talk-text')).toHaveText(/^Once upon a time.{20,}/s, { timeout: 60_000 });
    },
  },
  {
    name: 'training',
    async provoke(page, url) {
      await page.goto(`${url}/?backend=wasm`);
      await page.getByTestId('start').click();
      // Far enough for a receipt, a curve and a leaderboard.
      await expect(page.getByTestId('receipts').locator('li')).toHaveCount(RECEIPTS, { timeout: 180_000 });
      await expect(page.locator('[data-status="training"]')).toBeVisible({ timeout: 60_000 });
      await page.waitForTimeout(2_500);
    },
  },
];

/** Nothing but the page's files answers these. */
const WITHOUT_VALIDATOR: readonly State[] = [
  {
    name: 'validator-gone',
    async provoke(page, url) {
      await page.goto(url);
      await expect(page.getByRole('link', { name: /recorded|aufgezeichneten/i })).toBeVisible({
        timeout: 60_000,
      });
    },
  },
  {
    name: 'offline',
    async provoke(page, url) {
      await page.goto(url);
      await page.context().setOffline(true);
      await expect(page.getByTestId('preflight')).toBeVisible();
      await page.waitForTimeout(3_000);
    },
  },
  {
    name: 'demo',
    async provoke(page, url) {
      await page.goto(`${url}/?demo`);
      await expect(page.getByTestId('standings').getByRole('listitem').first()).toBeVisible({ timeout: 60_000 });
    },
  },
  {
    name: 'replay',
    async provoke(page, url) {
      await page.goto(`${url}/?replay#/leaderboard`);
      await expect(page.getByRole('link', { name: /^honest-\d$/ }).first()).toBeVisible();
    },
  },
  {
    name: 'peer',
    async provoke(page, url) {
      await page.goto(`${url}/?replay#/leaderboard`);
      await page.getByRole('link', { name: /^sign-flip-\d$/ }).click();
      await expect(page.locator('canvas').first()).toBeVisible();
    },
  },
];

async function lookAtAll(states: readonly State[], url: string, browser: Browser): Promise<void> {
  for (const view of STATE_VIEWS) {
    for (const { name, provoke } of states.filter(({ slow }) => FOR_GALLERY || NIGHTLY || !slow)) {
      const context = await openView(browser, view);
      const page = await context.newPage();
      await test.step(`${name}, ${view.name}`, () => provoke(page, url));
      await look(page, view, name);
      await context.close();
    }
  }
}

test('every state of a run: accessible, and no wider than its window', async ({ browser }) => {
  test.setTimeout(1_200_000);
  await withFolder(async (folder) => {
    const run = ['--preset', 'micro', '--window', '8', '--peers', '1', '--attackers', '1', '--port', '0'];
    const validator = await startValidator(folder, run);
    try {
      await lookAtAll(STATES, validator.url, browser);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
});

test('every state without a validator: accessible, and no wider than its window', async ({ browser }) => {
  test.setTimeout(900_000);
  await withStaticHost((url) => lookAtAll(WITHOUT_VALIDATOR, url, browser));
});
