import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import type { PeerState } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import { inLength } from '../nightly.ts';
import { collectViolations } from '../violations.ts';
import { eventually, startValidator, withFolder, type RunningValidator } from './running-validator.ts';

/** Windows long enough for a software GPU to compile its shaders and train a page in. */
const RUN = ['--preset', 'micro', '--window', '14', '--peers', '2', '--attackers', '1', '--port', '0'];

async function textOf(page: Page, id: string): Promise<string> {
  return ((await page.getByTestId(id).textContent()) ?? '').trim();
}

/** The hotkey that the page shows. */
function hotkeyOf(page: Page): Promise<string> {
  return eventually(
    async () => {
      const text = await textOf(page, 'hotkey');
      return /^5[1-9A-HJ-NP-Za-km-z]{46,49}$/.test(text) && text;
    },
    60_000,
    'the hotkey',
  );
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

/** A peer that has not joined yet has contributed nothing. */
async function contributionsOf({ api }: RunningValidator, hotkey: string): Promise<PeerState['contributions']> {
  try {
    return (await api.peer(hotkey)).contributions;
  } catch (error) {
    if (!(error instanceof ProblemError) || error.key !== 'unknown-hotkey') throw error;
    return { accepted: 0, rejected: 0, evaluated: 0, aggregated: 0 };
  }
}

test('a tab trains on WebGPU, is scored, and its work is in the next model', async ({ page }) => {
  test.setTimeout(400_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const violations = await collectViolations(page);
  await withFolder(async (folder) => {
    const validator = await startValidator(folder, RUN);
    try {
      await page.goto(`${validator.url}/?backend=webgpu`);
      await expect(page.getByTestId('start')).toBeVisible();
      expect((await validator.api.leaderboard()).peers.length).toBeLessThanOrEqual(3);
      await expectAccessible(page);

      await page.getByTestId('start').click();
      const hotkey = await hotkeyOf(page);
      const { window: joined } = await validator.api.clock();
      await eventually(
        async () => {
          const { accepted, evaluated } = await contributionsOf(validator, hotkey);
          return accepted >= 2 && evaluated >= 1;
        },
        200_000,
        'two accepted and one evaluated contribution',
      );
      expect((await validator.api.clock()).window - joined).toBeLessThanOrEqual(6);
      await eventually(
        async () => (await contributionsOf(validator, hotkey)).aggregated >= 1,
        100_000,
        'a contribution in the model',
      );

      await expect(page.getByTestId('loss')).toHaveText(/^\d+\.\d+/);
      await expect(page.getByTestId('phase')).toHaveText(/^(train|put|judge|publish)$/);
      const { window, root } = await eventually(
        async () => {
          const shown = { window: Number(await textOf(page, 'window')), root: await textOf(page, 'state-root') };
          return /^[0-9a-f]{64}$/.test(shown.root) && shown.window > 1 && shown;
        },
        30_000,
        'a state root',
      );
      const published = (await validator.api.windows(1, 1_000)).map((row) => row.stateRoot);
      expect(published, `the root of window ${window} is one that was published`).toContain(root);

      const peer = await validator.api.peer(hotkey);
      expect(peer.receipts.length).toBeGreaterThanOrEqual(2);
      expect(peer.verdicts.filter(({ check, pass }) => check === 'model' && !pass)).toEqual([]);
      await expectAccessible(page);

      await page.getByTestId('stop').click();
      await expect(page.getByTestId('start')).toBeVisible({ timeout: 30_000 });
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
  expect(problems).toEqual([]);
  expect(violations).toEqual([]);
});

const TOGETHER = inLength(2, 20);

test(`WebGPU, WASM and Node hold the same bits after ${TOGETHER} windows; a reload goes on without a new download`, async ({
  browser,
}) => {
  test.setTimeout(900_000);
  await withFolder(async (folder) => {
    // A software GPU beside WASM: a page of either takes several seconds, and a tab that is too slow gives up.
    const run = ['--preset', 'micro', '--window', '13', '--peers', '1', '--attackers', '0', '--port', '0'];
    const validator = await startValidator(folder, [...run, '--scheme', 'sparseloco']);
    try {
      const contexts = await Promise.all(['webgpu', 'wasm'].map(() => browser.newContext()));
      const pages = await Promise.all(contexts.map((context) => context.newPage()));
      for (const [i, backend] of ['webgpu', 'wasm'].entries()) {
        await pages[i]!.goto(`${validator.url}/?backend=${backend}`);
        await pages[i]!.getByTestId('start').click();
      }
      const hotkeys = await Promise.all(pages.map(hotkeyOf));
      expect(new Set(hotkeys).size).toBe(2);

      await eventually(async () => (await validator.api.clock()).window > TOGETHER, 450_000, `window ${TOGETHER + 1}`);
      const rootOf = (window: number): Promise<string | null> =>
        validator.api.windows(window - 1, 1).then(([row]) => row!.stateRoot);
      for (const page of pages) {
        // A root on the page is one that its worker computed of what its device holds.
        const { window, root } = await eventually(
          async () => {
            const before = (await validator.api.clock()).window;
            const root = await textOf(page, 'state-root');
            return root === (await rootOf(before)) && { window: before, root };
          },
          60_000,
          'the page to hold the parameters of the open window',
        );
        expect(window).toBeGreaterThan(TOGETHER);
        expect(root).toMatch(/^[0-9a-f]{64}$/);
      }

      const [page, other] = pages as [Page, Page];
      // Two tabs on one machine's processor are slow; the rest needs one.
      await other.getByTestId('stop').click();
      const chunks = new Set((await validator.api.checkpoint()).chunks.map(({ sha256 }) => sha256));
      const downloaded: string[] = [];
      contexts[0]!.on('request', (request) => {
        const sha256 = /blobs\/([0-9a-f]{64})/.exec(request.url())?.[1];
        if (sha256 !== undefined && chunks.has(sha256)) downloaded.push(sha256);
      });
      await page.reload();
      await page.getByTestId('start').click();
      expect(await hotkeyOf(page)).toBe(hotkeys[0]);
      const { accepted } = await contributionsOf(validator, hotkeys[0]!);
      await eventually(
        async () => (await contributionsOf(validator, hotkeys[0]!)).accepted > accepted,
        150_000,
        'a contribution after the reload',
      );
      const checkpoint = await validator.api.checkpoint();
      // A checkpoint published since the first download is a new one and had to come.
      if (checkpoint.chunks.every(({ sha256 }) => chunks.has(sha256))) expect(downloaded).toEqual([]);
    } finally {
      expect(await validator.interrupt()).toBe(0);
    }
  });
});
