import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { Keyring } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { startEmulator, type Emulator } from '../../chain/testing/emulator/emulator.ts';
import { JoinRequestSchema, type JoinRequest, type PeerState } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { injectWallet } from '../wallet/injected-wallet.ts';
import { collectViolations } from '../violations.ts';
import { eventually, startValidator, withFolder, type RunningValidator } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--peers', '1', '--attackers', '0', '--port', '0'];
const NETUID = 1;
/** A window of 5 and 3 blocks, a second each. */
const BLOCKS = ['--train-blocks', '5', '--put-blocks', '3', '--block-seconds', '1'];

/** A subnet whose owner validates with uid 0, and whose uid 1 mines; //Alice owns both. */
async function startSubnet(): Promise<{
  readonly emulator: Emulator;
  readonly coldkey: string;
  readonly miner: string;
}> {
  await cryptoWaitReady();
  const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });
  const [coldkey, owner, miner] = ['//Alice', '//Alice//owner', '//Alice//miner'].map(
    (uri) => keyring.addFromUri(uri).address,
  ) as [string, string, string];
  const emulator = await startEmulator({ blocks: { everyMs: 1_000 } });
  emulator.call(null, 'adminUtils.sudoSetNetworkRateLimit', 0);
  emulator.call(coldkey, 'subtensorModule.registerNetwork', owner);
  emulator.call(coldkey, 'subtensorModule.burnedRegister', NETUID, miner);
  emulator.set('subtensorModule.tempo', [NETUID], 360);
  emulator.set('subtensorModule.validatorPermit', [NETUID], [true, false]);
  emulator.set('subtensorModule.incentive', [NETUID], [0, 32_768]);
  return { emulator, coldkey, miner };
}

async function withValidator(
  args: readonly string[],
  body: (validator: RunningValidator) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, [...RUN, ...args]);
    try {
      await body(validator);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

async function peerOf({ api }: RunningValidator, hotkey: string): Promise<PeerState | undefined> {
  try {
    return await api.peer(hotkey);
  } catch (error) {
    if (error instanceof ProblemError && error.key === 'unknown-hotkey') return undefined;
    throw error;
  }
}

test('a coldkey’s one signature: three windows on a subnet, its figures, and an end to it', async ({ page }) => {
  test.setTimeout(240_000);
  const { emulator, coldkey, miner } = await startSubnet();
  try {
    const chain = ['--endpoint', emulator.endpoint, '--netuid', String(NETUID), ...BLOCKS, '--guests'];
    await withValidator(chain, (validator) => contributeForHotkey(page, validator, { emulator, coldkey, miner }));
  } finally {
    await emulator.close();
  }
});

async function contributeForHotkey(
  page: Page,
  validator: RunningValidator,
  { emulator, coldkey, miner }: Awaited<ReturnType<typeof startSubnet>>,
): Promise<void> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const violations = await collectViolations(page);
  const joins: JoinRequest[] = [];
  page.context().on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().endsWith('/v1/peers')) return;
    joins.push(JoinRequestSchema.parse(request.postDataJSON()));
  });
  const wallet = await injectWallet(page, { key: 'test-keyring', accounts: ['//Alice', '//Bob'] });
  const other = await injectWallet(page, { key: 'not-chosen', accounts: ['//Charlie'] });
  expect(wallet.addresses[0]).toBe(coldkey);

  await page.goto(`${validator.url}/?backend=wasm`);
  await page.getByTestId('connect-wallet').click();
  await page.getByTestId('wallet-test-keyring').click();
  await page.getByTestId(`account-${coldkey}`).click();
  // The chain says what the coldkey owns.
  await page.getByTestId(`hotkey-${miner}`).click();
  await page.getByTestId('days-7').check();
  const text = (await page.getByRole('region', { name: 'The text that you sign' }).textContent())!;
  await expectAccessible(page);
  await page.getByTestId('wallet-sign').click();
  await page.getByTestId('wallet-done').click();
  expect(wallet.prompts).toEqual([text]);
  expect(text).toContain(`Hotkey: ${miner}`);
  expect(other.enabled()).toBe(0);
  await expect(page.getByTestId('hotkey')).toHaveText(miner);
  await expect(page.getByTestId('delegation')).toContainText('Alice');
  await expectAccessible(page);

  await page.getByTestId('start').click();
  const peer = await eventually(
    async () => {
      const state = await peerOf(validator, miner);
      return state && state.contributions.accepted >= 3 && state.contributions.evaluated >= 1 && state;
    },
    120_000,
    'three windows under the hotkey',
  );
  expect(wallet.prompts).toHaveLength(1);
  expect(peer.verdicts.filter(({ check, pass }) => check === 'signature' && !pass)).toEqual([]);
  const { beacon } = await validator.api.window(peer.receipts[0]!.receipt.window - 1);
  expect(beacon.block!.number).toBeGreaterThan(0);
  await expect(page.getByRole('row').filter({ hasText: miner.slice(0, 6) })).not.toHaveCount(0);

  await page.getByRole('link', { name: 'Rewards' }).click();
  await expect(page.getByTestId('connection')).toContainText('Connected', { timeout: 20_000 });
  const card = page.locator('[data-subject="1"]');
  await expect(card.getByTestId('incentive')).toHaveText('50.00 %');
  expect((await validator.api.chainRecords(miner, 10)).at(-1)).toMatchObject({ uid: 1, incentive: 32_768 / 65_535 });
  emulator.set('subtensorModule.incentive', [NETUID], [0, 65_535]);
  await expect(card.getByTestId('incentive')).toHaveText('100 %', { timeout: 20_000 });
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Contribute' }).click();

  await page.getByTestId('revoke').click();
  await page.getByTestId('revoke-confirm').click();
  await expect(page.getByTestId('wallet-ended')).toContainText('Revoked');
  await expect(page.getByTestId('start')).toBeVisible();
  await expect(page.getByTestId('hotkey')).not.toHaveText(miner);
  const used = joins.find((request) => request.kind === 'wallet')!;
  expect(used).toMatchObject({ signer: coldkey, delegation: { hotkey: miner } });
  await expect(validator.api.join(used)).rejects.toMatchObject({ key: 'delegation-revoked' });
  expect((await validator.api.peer(miner)).delegation.revokedAt).not.toBeNull();
  expect(wallet.prompts).toHaveLength(1);
  expect(problems).toEqual([]);
  expect(violations).toEqual([]);
}

test('a wallet that never answers, one that comes late, and a person who says no', async ({ page }) => {
  await withValidator(['--window', '9'], (validator) => connectWithTrouble(page, validator));
});

async function connectWithTrouble(page: Page, validator: RunningValidator): Promise<void> {
  await injectWallet(page, { key: 'mute', accounts: ['//Bob'], mute: true });
  const late = await injectWallet(page, { key: 'late', accounts: ['//Dave'], lateMs: 4_000 });
  await page.goto(`${validator.url}/?backend=wasm`);
  await page.getByTestId('connect-wallet').click();
  await page.getByTestId('wallet-mute').click();
  await expect(page.getByTestId('wallet-dialog')).toHaveAttribute('data-step', 'connecting');
  await page.getByTestId('wallet-cancel').click();
  // It was not there when the dialog opened.
  await page.getByTestId('wallet-late').click();
  await page.getByTestId(`account-${late.addresses[0]!}`).click();
  late.rejects = true;
  await page.getByTestId('wallet-sign').click();
  await expect(page.getByTestId('wallet-failure')).toContainText('said no: Cancelled');
  await expectAccessible(page);
  late.rejects = false;
  await page.getByTestId('wallet-sign').click();
  await expect(page.getByTestId('wallet-dialog')).toHaveAttribute('data-step', 'connected');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('wallet-dialog')).toHaveCount(0);
  await page.reload();
  await expect(page.getByTestId('hotkey')).toHaveText(late.addresses[0]!);
}
