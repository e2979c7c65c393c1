import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { Keyring } from '@polkadot/api';
import { startEmulator, type Emulator } from '../../chain/testing/emulator/emulator.ts';
import { collectViolations } from '../violations.ts';
import { startValidator, withFolder, type RunningValidator } from './running-validator.ts';

const NETUID = 1;
const keyring = new Keyring({ type: 'sr25519' });
const addressOf = (uri: string): string => keyring.addFromUri(uri).address;
const COLDKEY = addressOf('//Alice');
const STRANGER = addressOf('//Stranger');
const TAO = 1_000_000_000n;
/** The page reads at most once in 12 s. */
const NEXT_READING = { timeout: 20_000 };

/**
 * A subnet of four: its owner validates, two mine, one has just come. Everything that the page shows is written here.
 *
 * @returns the hotkeys by uid
 */
function setUpSubnet(emulator: Emulator): string[] {
  const hotkeys = ['//Alice//validator', '//Alice//first', '//Alice//second', '//Alice//new'].map(addressOf);
  const set = (item: string, value: unknown): unknown => emulator.set(`subtensorModule.${item}`, [NETUID], value);
  emulator.call(null, 'adminUtils.sudoSetNetworkRateLimit', 0);
  emulator.call(COLDKEY, 'subtensorModule.registerNetwork', hotkeys[0]);
  emulator.call(null, 'adminUtils.sudoSetTargetRegistrationsPerInterval', NETUID, 10);
  set('immunityPeriod', 40);
  emulator.call(COLDKEY, 'subtensorModule.burnedRegister', NETUID, hotkeys[1]);
  emulator.call(COLDKEY, 'subtensorModule.burnedRegister', NETUID, hotkeys[2]);
  emulator.jump(50);
  emulator.call(COLDKEY, 'subtensorModule.burnedRegister', NETUID, hotkeys[3]);
  set('tempo', 360);
  set('maxAllowedUids', 4);
  set('burn', 500_000_000n);
  // Alpha is priced by the pool: 40 TAO for 1,000 alpha.
  set('subnetTAO', 40n * TAO);
  set('subnetAlphaIn', 1_000n * TAO);
  set('incentive', [0, 40_075, 20_037, 0]);
  set('dividends', [65_535, 0, 0, 0]);
  set('validatorPermit', [true, false, false, false]);
  set('emission', [2n * TAO, 1_500_000_000n, 750_000_000n, 0]);
  set('lastUpdate', [30, 2, 3, 60]);
  emulator.set('subtensorModule.totalHotkeyAlpha', [hotkeys[0], NETUID], 1_234n * TAO);
  emulator.set(
    'subtensorModule.weights',
    [NETUID, 0],
    [
      [1, 49_151],
      [2, 16_384],
    ],
  );
  return hotkeys;
}

const card = (page: Page, uid: number): Locator => page.locator(`[data-subject="${uid}"]`);

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

/** Notifications that the page made and permissions that it asked for, over reloads. */
async function spyOnNotifications(page: Page): Promise<{ readonly titles: string[]; readonly asked: () => number }> {
  const titles: string[] = [];
  let asked = 0;
  await page.exposeFunction('noteNotification', (title: string) => titles.push(title));
  await page.exposeFunction('noteRequest', () => asked++);
  await page.context().grantPermissions(['notifications']);
  await page.addInitScript(() => {
    const spies = window as unknown as { noteNotification(title: string): void; noteRequest(): void };
    const Real = Notification;
    class Spied extends Real {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        spies.noteNotification(title);
      }
      static override requestPermission(): Promise<NotificationPermission> {
        spies.noteRequest();
        return Real.requestPermission();
      }
    }
    window.Notification = Spied;
  });
  return { titles, asked: () => asked };
}

test('rewards: the run’s own without a chain, a subnet’s as its chain says', async ({ page }) => {
  test.setTimeout(240_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const violations = await collectViolations(page);
  const notifications = await spyOnNotifications(page);
  const emulator = await startEmulator({ blocks: 'manual' });
  try {
    const hotkeys = setUpSubnet(emulator);
    await withFolder(async (folder) => {
      const run = ['--preset', 'micro', '--window', '6', '--peers', '1', '--attackers', '0', '--port', '0'];
      const validator = await startValidator(folder, run);
      try {
        await page.goto(`${validator.url}/#/rewards/0`);
        await expect(page.getByTestId('chainless')).toContainText('No currency is implied');
        await watchSubnet(page, emulator);
        await expectFigures(page, emulator, hotkeys);
        expect(notifications.asked()).toBe(0);
        await page.getByRole('button', { name: 'Notify me' }).click();
        await expectChanges(page, emulator);
        await expectDisconnectionSaid(page, emulator);
        expect(notifications.asked()).toBe(1);

        const told = [...notifications.titles];
        expect(told.filter((title) => title === 'uid 1 of subnet 1 fell to rank 2')).toHaveLength(1);
        await page.reload();
        // A link that names a subnet connects nowhere by itself.
        await page.getByRole('button', { name: 'Watch, read-only' }).click();
        await expect(card(page, 1).getByTestId('incentive')).toHaveText('100 %');
        await expect(page.locator('[data-alert="rank-drop"]', { hasText: 'uid 1' })).toContainText('fell to rank 2');
        expect(notifications.titles).toEqual(told);

        await page.getByRole('button', { name: 'Back to this run' }).click();
        await page.getByRole('button', { name: '+ uid 0' }).click();
        await expectOwnWeights(page, validator);
      } finally {
        expect(await validator.interrupt()).toBe(0);
      }
    });
  } finally {
    await emulator.close();
  }
  expect(problems).toEqual([]);
  expect(violations).toEqual([]);
});

/** What the page shows is what the validator publishes; a run's only peer has all of its weight, or none as yet. */
async function expectOwnWeights(page: Page, { api }: RunningValidator): Promise<void> {
  const [weight, rank] = [card(page, 0).getByTestId('run-weight'), card(page, 0).getByTestId('run-rank')];
  await expect(weight).toBeVisible({ timeout: 30_000 });
  // Figures may change between the two readings.
  await expect(async () => {
    const published = (await api.leaderboard()).peers.find(({ uid }) => uid === 0)!;
    await expect(weight).toHaveText(published.weight === 1 ? '100 %' : '0 %', { timeout: 500 });
    await expect(rank).toHaveText(published.rank === null ? '–' : `#${published.rank}`, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await expectAccessible(page);
}

async function watchSubnet(page: Page, emulator: Emulator): Promise<void> {
  await page.getByText('Watch a subnet of a real chain').click();
  await page.getByLabel('Network').selectOption('own');
  await page.getByLabel('Endpoint').fill(emulator.endpoint);
  await page.getByLabel('Netuid').fill(String(NETUID));
  await page.getByRole('button', { name: 'Watch, read-only' }).click();
  await expect(page.getByTestId('connection')).toContainText('Connected');
  await expect(page.getByTestId('connection-detail')).toContainText(emulator.endpoint);
}

async function expectFigures(page: Page, emulator: Emulator, hotkeys: readonly string[]): Promise<void> {
  const { number: block } = emulator.head();
  for (const subject of ['1', hotkeys[2]!, '0', '3', COLDKEY, STRANGER]) {
    await page.getByLabel('Hotkey or uid').fill(subject);
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
  }
  await expect(page.getByTestId('block')).toHaveText(block.toLocaleString('en-GB'));
  await expect(page.getByTestId('alpha-price')).toHaveText('0.04');
  await expect(page.getByTestId('burn')).toHaveText('0.5000');
  await expect(page.getByTestId('neurons')).toHaveText('4');

  // 40075 and 20037 of 65535; 1.5 alpha an epoch are 30 a day at 20 epochs, and 1.2 TAO at 0.04.
  const [validator, first, second, fresh] = [card(page, 0), card(page, 1), card(page, 2), card(page, 3)];
  await expect(first.getByTestId('incentive')).toHaveText('61.15 %');
  await expect(second.getByTestId('incentive')).toHaveText('30.57 %');
  await expect(first.getByText('rank 1 of 3 miners')).toBeVisible();
  await expect(second.getByText('rank 2 of 3 miners')).toBeVisible();
  await expect(first.getByTestId('emission')).toHaveText('1.500');
  await expect(first.getByTestId('alpha-day')).toHaveText('30.000');
  await expect(first.getByTestId('tao-day')).toHaveText('1.200');
  await expect(second.getByTestId('alpha-day')).toHaveText('15.000');
  await first.getByRole('button', { name: /^About: A day/ }).focus();
  await expect(first.getByRole('tooltip', { name: '' }).filter({ hasText: '1.500 × 7,200 ÷ 360' })).toBeVisible();
  await expect(first.getByText('Instantaneous, not a forecast')).toBeVisible();

  await expect(validator.getByTestId('dividends')).toHaveText('100 %');
  await expect(validator.getByTestId('stake')).toHaveText('1,234.0');
  await expect(validator.getByText('not ranked')).toBeVisible();
  await expect(first.getByTestId('immunity')).toHaveText('over');
  await expect(fresh.getByTestId('immunity')).toContainText('block');
  // Full, and of those out of immunity the second miner's emission is the lowest.
  await expect(second.getByTestId('risk')).toHaveText('next to go');
  await expect(fresh.getByTestId('risk')).toHaveText('immune');
  await expect(page.locator('[data-alert="deregistration-risk"]', { hasText: 'uid 2' })).toContainText(
    'may be replaced',
  );

  await first.getByText('Weights from 1 of 1 validator').click();
  await expect(first.locator('[data-validator="0"]')).toContainText('75.00 %');
  await second.getByText('Weights from 1 of 1 validator').click();
  await expect(second.locator('[data-validator="0"]')).toContainText('25.00 %');

  await expect(page.getByText('This address owns hotkeys of the subnet')).toBeVisible();
  await expect(page.getByText('Not registered')).toBeVisible();
  await expect(page.getByTestId('registration-burn')).toHaveText('0.5000');
  await expectAccessible(page);
  expect(decodeURIComponent(new URL(page.url()).hash)).toContain(`/rewards/1,${hotkeys[2]!},0,3,`);
}

async function expectChanges(page: Page, emulator: Emulator): Promise<void> {
  emulator.set('subtensorModule.incentive', [NETUID], [0, 20_037, 40_075, 0]);
  await expect(card(page, 1).getByTestId('incentive')).toHaveText('30.57 %', NEXT_READING);
  await expect(card(page, 2).getByText('rank 1 of 3 miners')).toBeVisible();
  await expect(page.locator('[data-alert="rank-drop"]')).toContainText('fell to rank 2');
}

async function expectDisconnectionSaid(page: Page, emulator: Emulator): Promise<void> {
  await emulator.restart(async () => {
    await expect(page.getByTestId('connection')).toContainText('Disconnected', { timeout: 15_000 });
    await expect(page.getByTestId('connection-detail')).toContainText('The figures below are those of block');
    await expect(card(page, 1).getByTestId('incentive')).toHaveText('30.57 %');
    await expectAccessible(page);
    emulator.set('subtensorModule.incentive', [NETUID], [0, 65_535, 0, 0]);
  });
  await expect(page.getByTestId('connection')).toContainText('Connected', { timeout: 30_000 });
  await expect(card(page, 1).getByTestId('incentive')).toHaveText('100 %', NEXT_READING);
}
