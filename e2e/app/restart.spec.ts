import { expect, test } from '@playwright/test';
import type { SignedReceipt, WindowSummary } from '../../core/protocol/api.ts';
import { NIGHTLY } from '../nightly.ts';
import { eventually, startValidator, withFolder, type RunningValidator } from './running-validator.ts';

const RUN = ['--preset', 'micro', '--window', '5', '--peers', '2', '--attackers', '0', '--port', '0'];

/** Everything the validator promised so far: receipts it signed, windows it published. */
async function promises({ api }: RunningValidator): Promise<{ receipts: SignedReceipt[]; windows: WindowSummary[] }> {
  const { peers } = await api.leaderboard();
  const states = await Promise.all(peers.map((peer) => api.peer(peer.hotkey)));
  return { receipts: states.flatMap((peer) => peer.receipts), windows: await api.windows(1, 1_000) };
}

/** Nothing counted twice: what peers are credited with is what the windows took in. */
async function expectBooksToBalance({ api }: RunningValidator): Promise<void> {
  const { window } = await eventually(
    async () => {
      const clock = await api.clock();
      return clock.phase === 'train' && clock;
    },
    30_000,
    'a train phase, in which no upload is under way',
  );
  const published = await api.windows(1, 1_000);
  const { peers } = await api.leaderboard();
  const states = await Promise.all(peers.map((peer) => api.peer(peer.hotkey)));
  expect(published.map((row) => row.window)).toEqual(Array.from({ length: window - 1 }, (_, i) => i + 1));
  expect(states.reduce((sum, peer) => sum + peer.contributions.accepted, 0)).toBe(
    published.reduce((sum, row) => sum + (row.participants ?? 0), 0),
  );
}

// simulate/crash kills a smaller validator in every phase, every time.
for (const phase of NIGHTLY ? (['train', 'put', 'judge'] as const) : (['put'] as const)) {
  test(`kill -9 in the ${phase} phase loses nothing and counts nothing twice`, async () => {
    await withFolder(async (folder) => {
      const first = await startValidator(folder, RUN);
      // The second window or later, so that there is something to lose.
      await eventually(async () => (await first.api.windows(1, 10)).length >= 1, 60_000, 'a published window');
      const clock = await eventually(
        async () => {
          const now = await first.api.clock();
          if (now.phase !== (phase === 'judge' ? 'put' : phase)) return false;
          if (phase !== 'put') return now;
          // A window may pass without an upload on a slow machine: then it is another one's turn.
          const { receipts } = await promises(first);
          return receipts.some(({ receipt }) => receipt.window === now.window) && now;
        },
        60_000,
        phase === 'put' ? 'an upload in the put phase' : `the ${phase} phase`,
      );
      const before = await promises(first);
      if (phase === 'judge') {
        await new Promise((resolve) => setTimeout(resolve, Date.parse(clock.putClosesAt) - Date.now() + 40));
      }
      await first.kill();

      const second = await startValidator(folder, RUN);
      try {
        const after = await promises(second);
        expect(after.receipts).toEqual(expect.arrayContaining(before.receipts));
        expect(after.windows.slice(0, before.windows.length)).toEqual(before.windows);
        expect((await second.api.clock()).window).toBeGreaterThanOrEqual(clock.window);
        await eventually(
          async () => (await second.api.windows(1, 100)).length >= clock.window + 1,
          60_000,
          'the killed window and one more to be published',
        );
        await expectBooksToBalance(second);
      } finally {
        expect(await second.interrupt()).toBe(0);
      }
    });
  });
}
