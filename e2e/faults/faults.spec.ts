/**
 * What can happen to a tab while it trains, each provoked in Chromium: afterwards it trains, and its work is accepted
 * again, without anybody's doing. docs/measurements/tab-faults.md has the whole list, with what ends in a sentence.
 */
import { expect, test } from '@playwright/test';
import { startValidator, withFolder, TABS_ALONE, type RunningValidator } from '../app/running-validator.ts';
import { inLength, NIGHTLY } from '../nightly.ts';
import { browserProcesses } from '../soak/processes.ts';
import { withLine, type Line } from './cutting-proxy.ts';
import { expectAcceptedAgain, expectNoFailure, openTab, pass, type Tab } from './tab.ts';

const WINDOW_SECONDS = 5;
const RUN = ['--preset', 'micro', '--window', String(WINDOW_SECONDS), ...TABS_ALONE];
const HOUR_MS = 3_600_000;

interface Scene {
  readonly tab: Tab;
  readonly line: Line;
  /** The one that runs now. */
  readonly validator: () => RunningValidator;
  /** Kills it, lets time go by, and starts it again. */
  readonly withoutValidator: (seconds: number) => Promise<void>;
}

interface Fault {
  readonly name: string;
  /** Whether every change is tested with it, or the nightly form alone. */
  readonly always: boolean;
  /** Returns when it is over, or done. */
  readonly provoke: (scene: Scene) => Promise<void>;
}

/** This machine's clock, as the page and its worker read it, is off by so much from now on. */
async function setClock(tab: Tab, offByMs: number): Promise<void> {
  const shift = (by: number): void => {
    const scope = globalThis as typeof globalThis & { RealDate?: DateConstructor };
    const Real = (scope.RealDate ??= Date);
    scope.Date = new Proxy(Real, {
      construct: (_, [at = Real.now() + by]: readonly number[]) => new Real(at),
      get: (_, name) => (name === 'now' ? () => Real.now() + by : (Reflect.get(Real, name) as unknown)),
    });
  };
  await tab.trainer().evaluate(shift, offByMs);
  await tab.page.evaluate(shift, offByMs);
}

const FAULTS: readonly Fault[] = [
  {
    name: 'its worker is gone without a word',
    always: true,
    provoke: ({ tab }) => tab.trainer().evaluate(() => close()),
  },
  {
    name: 'its worker fails outside of any call',
    always: false,
    provoke: ({ tab }) =>
      tab.trainer().evaluate(
        () =>
          void setTimeout(() => {
            throw new Error('out of memory');
          }),
      ),
  },
  {
    name: 'the browser has no more room',
    always: true,
    async provoke({ tab, line, validator }) {
      await tab.devtools.send('Storage.overrideQuotaForOrigin', { origin: line.url, quotaSize: 1 });
      await pass(validator(), 2);
      await expectAcceptedAgain(validator(), await tab.hotkey());
      await expect(tab.page.getByText('no more room').first()).toBeVisible({ timeout: 60_000 });
      await tab.devtools.send('Storage.overrideQuotaForOrigin', { origin: line.url });
    },
  },
  {
    name: 'everything it stored is evicted',
    always: true,
    async provoke({ tab, line }) {
      await tab.devtools.send('Storage.clearDataForOrigin', { origin: line.url, storageTypes: 'all' });
    },
  },
  {
    name: 'the clock jumps back by three hours in the middle of a window',
    always: true,
    async provoke({ tab }) {
      await expect(tab.page.locator('[data-status="training"]')).toBeVisible({ timeout: 60_000 });
      await setClock(tab, -3 * HOUR_MS);
    },
  },
  {
    name: 'the clock jumps ahead by five hours in the middle of a window',
    always: false,
    async provoke({ tab }) {
      await expect(tab.page.locator('[data-status="training"]')).toBeVisible({ timeout: 60_000 });
      await setClock(tab, 5 * HOUR_MS);
    },
  },
  {
    name: 'the tab is frozen for two windows, and thawed',
    always: false,
    async provoke({ tab, validator }) {
      await tab.devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await pass(validator(), 2);
      await tab.devtools.send('Page.setWebLifecycleState', { state: 'active' });
    },
  },
  {
    name: 'the computer sleeps: every process of the browser stands still, and the clock is an hour on',
    always: true,
    async provoke({ tab, validator }) {
      const processes = await browserProcesses();
      await setClock(tab, HOUR_MS);
      for (const { pid } of processes) process.kill(pid, 'SIGSTOP');
      try {
        await pass(validator(), inLength(2, 12));
      } finally {
        for (const { pid } of processes) process.kill(pid, 'SIGCONT');
      }
    },
  },
  {
    name: 'the line is cut in the middle of an upload',
    always: true,
    provoke: ({ line }) => line.cutNext({ method: 'PUT', path: /^\/v1\//, way: 'up' }),
  },
  {
    name: 'the line is cut in the middle of a download',
    always: false,
    provoke: ({ line }) => line.cutNext({ method: 'GET', path: /^\/v1\/blobs\//, way: 'down' }),
  },
  {
    name: 'the network is gone for two windows',
    always: false,
    async provoke({ tab, validator }) {
      await tab.page.context().setOffline(true);
      await pass(validator(), 2);
      await tab.page.context().setOffline(false);
    },
  },
  {
    name: `the validator is gone for ${inLength(2, 10)} windows`,
    always: true,
    async provoke({ tab, withoutValidator }) {
      await withoutValidator(WINDOW_SECONDS * inLength(2, 10));
      await expectNoFailure(tab);
    },
  },
];

const CHOSEN = FAULTS.filter(({ always }) => always || NIGHTLY);

test(`${CHOSEN.length} faults: after each the tab trains on and is accepted again`, async ({ page }) => {
  test.setTimeout(120_000 + CHOSEN.length * 120_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await withFolder(async (folder) => {
    let validator = await startValidator(folder, RUN);
    try {
      await withLine(validator.url, async (line) => {
        const tab = await openTab(page);
        await page.goto(`${line.url}/?backend=wasm`);
        await page.getByTestId('start').click();
        const hotkey = await tab.hotkey();
        await expectAcceptedAgain(validator, hotkey);
        const scene: Scene = {
          tab,
          line,
          validator: () => validator,
          async withoutValidator(seconds) {
            line.leadTo(undefined);
            await validator.kill();
            await page.waitForTimeout(1_000 * seconds);
            await expect(page.getByText(`No answer from ${new URL(line.url).host}`)).toBeVisible({ timeout: 60_000 });
            validator = await startValidator(folder, RUN);
            line.leadTo(validator.url);
          },
        };
        for (const { name, provoke } of CHOSEN) {
          await test.step(name, async () => {
            await provoke(scene);
            await expectAcceptedAgain(validator, hotkey);
            await expectNoFailure(tab);
          });
        }

        // What was evicted while it trained is gone for good: a visit later it is another guest, and trains.
        await tab.devtools.send('Storage.clearDataForOrigin', { origin: line.url, storageTypes: 'all' });
        await page.reload();
        await page.getByTestId('start').click();
        const newcomer = await tab.hotkey();
        expect(newcomer).not.toBe(hotkey);
        await expectAcceptedAgain(validator, newcomer);
      });
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
  expect(errors.filter((message) => !message.includes('out of memory'))).toEqual([]);
});
