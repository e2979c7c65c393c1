import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { JoinRequestSchema, type JoinRequest, type PeerState } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { injectWallet } from '../wallet/injected-wallet.ts';
import { eventually, startValidator, withFolder, type RunningValidator } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '9', '--peers', '1', '--attackers', '0', '--port', '0'];

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

let validator: RunningValidator;
let ended: Promise<void>;
let end: () => void;

test.beforeAll(async () => {
  const stopped = new Promise<void>((resolve) => (end = resolve));
  await new Promise<void>((ready, failed) => {
    ended = withFolder(async (folder) => {
      validator = await startValidator(folder, RUN);
      ready();
      await stopped;
      expect(await validator.interrupt()).toBe(0);
    });
    ended.catch(failed);
  });
});

test.afterAll(async () => {
  end();
  await ended;
});

test('one signature, three windows, scores for the wallet’s hotkey, and an end to it', async ({ page }) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const joins: JoinRequest[] = [];
  page.context().on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().endsWith('/v1/peers')) return;
    joins.push(JoinRequestSchema.parse(request.postDataJSON()));
  });
  const wallet = await injectWallet(page, { key: 'test-keyring', accounts: ['//Alice', '//Bob'] });
  const other = await injectWallet(page, { key: 'not-chosen', accounts: ['//Charlie'] });
  const [alice] = wallet.addresses as [string];

  await page.goto(`${validator.url}/?backend=wasm`);
  await page.getByTestId('connect-wallet').click();
  await page.getByTestId('wallet-test-keyring').click();
  await page.getByTestId(`account-${alice}`).click();
  await page.getByTestId('days-7').check();
  const text = (await page.getByRole('region', { name: 'The text that you sign' }).textContent())!;
  await expectAccessible(page);
  await page.getByTestId('wallet-sign').click();
  await page.getByTestId('wallet-done').click();
  expect(wallet.prompts).toEqual([text]);
  expect(other.enabled()).toBe(0);
  await expect(page.getByTestId('hotkey')).toHaveText(alice);
  await expect(page.getByTestId('delegation')).toContainText('Alice');
  await expectAccessible(page);

  await page.getByTestId('start').click();
  const peer = await eventually(
    async () => {
      const state = await peerOf(validator, alice);
      return state && state.contributions.accepted >= 3 && state.contributions.evaluated >= 1 && state;
    },
    100_000,
    'three windows under the wallet’s hotkey',
  );
  expect(wallet.prompts).toHaveLength(1);
  expect(peer.verdicts.filter(({ check, pass }) => check === 'signature' && !pass)).toEqual([]);
  expect((await validator.api.leaderboard()).peers.map(({ hotkey }) => hotkey)).toContain(alice);
  await expect(page.getByRole('row').filter({ hasText: alice.slice(0, 6) })).not.toHaveCount(0);

  await page.getByTestId('revoke').click();
  await page.getByTestId('revoke-confirm').click();
  await expect(page.getByTestId('wallet-ended')).toContainText('Revoked');
  await expect(page.getByTestId('start')).toBeVisible();
  await expect(page.getByTestId('hotkey')).not.toHaveText(alice);
  const used = joins.find((request) => request.kind === 'wallet')!;
  await expect(validator.api.join(used)).rejects.toMatchObject({ key: 'delegation-revoked' });
  expect((await validator.api.peer(alice)).delegation.revokedAt).not.toBeNull();
  expect(wallet.prompts).toHaveLength(1);
  expect(problems).toEqual([]);
});

test('a wallet that never answers, one that comes late, and a person who says no', async ({ page }) => {
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
});
