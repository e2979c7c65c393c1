/** A tab that trains, and whether it goes on doing so. */
import { expect, type CDPSession, type Page, type Worker } from '@playwright/test';
import { ProblemError } from '../../core/protocol/problem.ts';
import { eventually, type RunningValidator } from '../app/running-validator.ts';
import { onTrainer } from '../trainer-worker.ts';

export interface Tab {
  readonly page: Page;
  readonly devtools: CDPSession;
  /** The worker that trains now. */
  trainer(): Worker;
  status(): Promise<string>;
  /** The hotkey that the page shows. */
  hotkey(): Promise<string>;
}

export async function openTab(page: Page): Promise<Tab> {
  let trainer: Worker | undefined;
  onTrainer(page, (worker) => (trainer = worker));
  return {
    page,
    devtools: await page.context().newCDPSession(page),
    trainer() {
      if (!trainer) throw new Error('nothing trains yet');
      return trainer;
    },
    status: async () => (await page.locator('[data-status]').getAttribute('data-status')) ?? '',
    hotkey: () =>
      eventually(
        async () => {
          const text = ((await page.getByTestId('hotkey').textContent()) ?? '').trim();
          return /^5[1-9A-HJ-NP-Za-km-z]{46,49}$/.test(text) && text;
        },
        60_000,
        'the hotkey',
      ),
  };
}

/** Contributions of a hotkey that the validator accepted; none of one that it does not know. */
export async function acceptedOf({ api }: Pick<RunningValidator, 'api'>, hotkey: string): Promise<number> {
  try {
    return (await api.peer(hotkey)).contributions.accepted;
  } catch (error) {
    if (error instanceof ProblemError && error.key === 'unknown-hotkey') return 0;
    throw error;
  }
}

/** Waits until one more contribution of a hotkey is accepted: it trains, delivers and is believed. */
export async function expectAcceptedAgain(
  { api }: Pick<RunningValidator, 'api'>,
  hotkey: string,
  timeoutMs = 120_000,
): Promise<void> {
  const before = await acceptedOf({ api }, hotkey);
  await eventually(
    async () => (await acceptedOf({ api }, hotkey)) > before,
    timeoutMs,
    'another accepted contribution',
  );
}

/** Waits until so many windows have gone by. */
export async function pass({ api }: Pick<RunningValidator, 'api'>, windows: number): Promise<void> {
  const { window } = await api.clock();
  await eventually(async () => (await api.clock()).window >= window + windows, 300_000, `${windows} windows to go by`);
}

export async function expectNoFailure({ page }: Tab): Promise<void> {
  await expect(page.locator('[data-status="failed"]')).toHaveCount(0);
}
