/** The training of one window: page after page, micro-batch by micro-batch, until the time is up. */
import { nextTokenBatch } from '../core/data/batch.ts';
import type { ContributorContext } from './context.ts';
import { fits, type TimeLeft } from './deadline.ts';
import type { Device } from './device.ts';
import type { Page } from './page-source.ts';

/** While paused, how long at most until the window's end is looked for again. */
const PAUSE_NAP_MS = 5_000;

export interface TrainingWork {
  readonly device: Device;
  readonly window: number;
  /** Those to train, in order. */
  readonly pages: AsyncIterable<Page>;
  readonly pagesAssigned: number;
  /** Sequences of a page, whole micro-batches of the device. */
  readonly pageSequences: number;
  /** After so many pages the device takes a local step. */
  readonly pagesPerStep: number;
  /** As of now. */
  readonly timeLeft: () => TimeLeft;
}

export interface Training {
  /** Hashes of the pages that were trained whole, in order. */
  readonly pages: readonly string[];
  /** Over all that was trained, nats a token. */
  readonly meanLoss: number;
  /** Milliseconds that a page takes here, rests included, once that is known. */
  readonly pageMs: number | undefined;
}

/**
 * Accumulates the gradient of as many pages as are finished in time, with a local step after every so many. A further
 * page is begun only if it will surely be finished by plan; the first one is tried for as long as it may still be
 * finished at all. One that will not be is broken off: what it added to the gradient stays there, undeclared. What no
 * local step took is left to the compression.
 *
 * @throws EngineError; the signal's reason when aborted; whatever the pages throw
 */
export async function trainPages(
  { controls, signal, emit, status }: ContributorContext,
  { device, window, pages, pagesAssigned, pageSequences, pagesPerStep, timeLeft }: TrainingWork,
): Promise<Training> {
  const { trainer, microBatch, localSteps } = device;
  const { throttle } = controls;
  const microBatches = pageSequences / trainer.sequences;
  const microBatchTokens = trainer.sequences * trainer.length;
  const trained: string[] = [];
  let lossSum = 0;
  let count = 0;
  let step = 0;

  /**
   * Until so many micro-batches are done, and the local step if the page ends in one, which follows without a rest; the
   * last one's rest can wait.
   */
  function restOfPageMs(estimate: 'likelyMs' | 'safeMs', microBatchesToGo = microBatches): number | undefined {
    const busyMs = microBatch[estimate](microBatchesToGo);
    if (busyMs === undefined) return undefined;
    const stepping = (trained.length + 1) % pagesPerStep === 0 ? (localSteps[estimate]() ?? 0) : 0;
    return busyMs * throttle.stretch - (busyMs / microBatchesToGo) * (throttle.stretch - 1) + stepping;
  }

  function sayTraining(): void {
    const secondsLeft = Math.max(0, timeLeft().plannedMs / 1_000);
    status({ kind: 'training', window, pagesDone: trained.length, pagesAssigned, secondsLeft });
  }

  /** Returns once resumed, or when there is no time left to train in. */
  async function whilePaused(): Promise<void> {
    let waited = false;
    for (let left = timeLeft(); controls.paused && left.latestMs > 0; left = timeLeft()) {
      if (!waited) status({ kind: 'paused', window });
      waited = true;
      throttle.idled(await controls.nap(Math.min(left.latestMs, PAUSE_NAP_MS)));
    }
    if (waited) sayTraining();
  }

  /** Waits while paused and rests what is due. @returns whether the page can still be finished */
  async function ready(microBatchesToGo: number): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      await whilePaused();
      const restMs = throttle.owedMs;
      if (!fits(restOfPageMs('likelyMs', microBatchesToGo), timeLeft().latestMs - restMs)) return false;
      if (restMs === 0) return true;
      throttle.rested(await controls.nap(restMs));
    }
  }

  async function trainPage(page: Page): Promise<boolean> {
    for (let i = 0; i < microBatches; i++) {
      if (!(await ready(microBatches - i))) return false;
      const ids = page.tokens.subarray(i * microBatchTokens, (i + 1) * microBatchTokens);
      const { loss, busyMs } = await device.accumulate(nextTokenBatch(ids, trainer.sequences, trainer.length));
      throttle.worked(busyMs);
      lossSum += loss.sum;
      count += loss.count;
      emit({
        type: 'loss',
        window,
        step: step++,
        loss: loss.sum / loss.count,
        tokens: loss.count,
        tokensPerSecond: (1_000 * loss.count) / Math.max(1, busyMs),
      });
    }
    return true;
  }

  for await (const page of pages) {
    const { plannedMs, latestMs } = timeLeft();
    if (trained.length > 0) {
      if (!fits(restOfPageMs('safeMs'), plannedMs - throttle.owedMs)) break;
    } else if (!fits(restOfPageMs('likelyMs'), latestMs)) {
      // Rather than believe old estimates for ever, the first micro-batch and local step are timed anew.
      microBatch.forget();
      localSteps.forget();
    }
    sayTraining();
    if (!(await trainPage(page))) break;
    trained.push(page.sha256);
    if (trained.length % pagesPerStep === 0) throttle.worked((await device.localStep(window)).busyMs);
  }
  return {
    pages: trained,
    meanLoss: count === 0 ? 0 : lossSum / count,
    pageMs: restOfPageMs('likelyMs'),
  };
}
