/**
 * The window's state machine: train, put, judge, publish, and again. All decided by the injected clock, all that
 * matters in the store before it is answered, so that it goes on after a kill wherever that came.
 */
import type { Phase, ValidatorEvent } from '../../core/protocol/api.ts';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { RoundsPorts } from './context.ts';
import { loadContext } from './context.ts';
import { createEventHub } from './events.ts';
import { inLanes } from './in-lanes.ts';
import { judgeWindow } from './judge.ts';
import { CorruptRunError } from './corrupt-run.ts';
import { loadParameters } from './parameters.ts';
import type { JudgeEngine } from './ports.ts';
import { publishWindow } from './publish.ts';
import { createSampler } from './samples.ts';
import type { ValidatorService } from '../http/validator-service.ts';
import { createService, type RoundsOptions, type RunService } from './service.ts';
import type { ContributionRow, Deadlines } from './store.ts';
import { windowClockOf } from './window-clock.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const RELEASING_LANES = 8;

export interface Rounds extends RunService, Pick<ValidatorService, 'subscribe' | 'unready'> {
  /** Goes through windows until stopped. A judge that fails is tried again, ever more slowly. */
  start(): void;
  /** Ends after what is being done now. */
  stop(): Promise<void>;
  /** Judges and publishes the open window now, whatever the clock says: a step of the machine for tests and tools. */
  closeWindow(): Promise<void>;
}

/** An engine that failed may fail at this too. */
async function disposeOf(engine: JudgeEngine): Promise<void> {
  await engine.dispose().catch(() => undefined);
}

/**
 * Opens the run in the store where it was left: parameters by checkpoint and steps, deadlines as they were unless the
 * put phase ran out meanwhile, orphans of a kill removed.
 *
 * @throws CorruptRunError when what is stored does not add up
 */
export async function openRounds(ports: RoundsPorts, options: RoundsOptions): Promise<Rounds> {
  const { store, clock, log } = ports;
  const context = await loadContext(ports);
  const { run, manifest } = context;
  const windowClock = windowClockOf(manifest, ports);
  if (bytesToHex(ports.signer.publicKey) !== manifest.validator.publicKey) {
    throw new CorruptRunError('the signing key is not the one of the run’s manifest');
  }
  let open = await store.openWindow();
  let parameters = await loadParameters(context, ports, open.stateRoot);
  const held = await store.contributions(open.window);
  await ports.uploads.clean(new Set(held.map(({ sha256 }) => sha256)));

  const hub = createEventHub();
  const abort = new AbortController();
  let working: 'judge' | 'publish' | undefined;
  let failure: string | undefined;
  let loop: Promise<void> | undefined;
  let engine = ports.createJudgeEngine({ run, manifest });
  const state = {
    open: () => open,
    phase,
    engine: () => engine,
    model: () => Promise.resolve({ root: open.stateRoot, parameters }),
    stopping: () => abort.signal.aborted,
  };
  const { service, uploads, views } = createService(context, ports, windowClock, state, options);
  const sampler = createSampler(context, ports, state);

  function phase(): Phase {
    return working ?? (open.judging ? 'judge' : windowClock.phase(open));
  }

  /** Stored before anybody acts on them. */
  async function setDeadlines(deadlines: Deadlines | undefined): Promise<void> {
    if (!deadlines) return;
    await store.setDeadlines(open.window, deadlines);
    open = { ...open, ...deadlines };
  }

  /** Deadlines for a window that peers could not reach while this was down, or that has none yet. */
  async function settle(): Promise<void> {
    if (open.judging) return;
    const deadlines = await windowClock.settle(open, abort.signal);
    if (!deadlines) return;
    await setDeadlines(deadlines);
    log.info({ run, window: open.window }, 'window has new deadlines');
  }

  const emit = (event: ValidatorEvent): void => {
    hub.emit(event);
  };
  const emitClock = (): void => {
    emit({ type: 'clock', clock: service.clock() });
  };

  async function renewEngine(): Promise<void> {
    const old = engine;
    engine = ports.createJudgeEngine({ run, manifest });
    await disposeOf(old);
  }

  async function closeWindow(): Promise<void> {
    const started = clock.now();
    working = 'judge';
    try {
      emitClock();
      await uploads.settled();
      await sampler.settled();
      if (!open.judging) {
        await uploads.collectRest();
        await store.markJudging(open.window);
        open = { ...open, judging: true };
      }
      const closingBlock = await windowClock.closingBlock(open);
      const judgement = await judgeWindow(context, ports, engine, { open, parameters, closingBlock });
      working = 'publish';
      emitClock();
      const { record, next } = await publishWindow(context, ports, open, judgement);
      open = next;
      parameters = judgement.parameters;
      await releasePublished(judgement.contributions);
      const seconds = (clock.now() - started) / 1_000;
      const evaluations = judgement.evaluated.length;
      const minutes = judgement.evaluationMs / 60_000;
      const figures = {
        window: record.window,
        participants: judgement.contributions.length,
        aggregated: judgement.aggregated.length,
        loss: judgement.lossAfter,
        evaluations,
        evaluationsPerMinute: evaluations > 0 && minutes > 0 ? evaluations / minutes : null,
      };
      ports.metrics.judged({ ...figures, seconds });
      log.info({ run, ...figures, judgeSeconds: seconds }, 'window published');
    } finally {
      working = undefined;
    }
    await announceWindow();
  }

  /** To be called once the open window is the one after. */
  async function announceWindow(): Promise<void> {
    const [summary] = await views.windows(open.window - 1, 1);
    if (summary) emit({ type: 'window', window: summary });
    emit({ type: 'leaderboard', window: open.window - 1 });
    emitClock();
  }

  /**
   * After a failure the record counts, not what is remembered here: a write may have been done and only its answer lost,
   * and a window that was published so would be judged for ever.
   */
  async function resume(): Promise<void> {
    const stored = await store.openWindow();
    if (stored.window === open.window) {
      open = stored;
      return;
    }
    parameters = await loadParameters(context, ports, stored.stateRoot);
    open = stored;
    failure = undefined;
    log.warn({ run, window: open.window - 1 }, 'the window had been published, and no answer came');
    if (!windowClock.settlesLate) await settle();
    await announceWindow();
  }

  /** What is public needs no sealed copy; one that stays is removed by the next start. */
  async function releasePublished(contributions: readonly ContributionRow[]): Promise<void> {
    try {
      await inLanes(contributions, RELEASING_LANES, ({ sha256 }) => ports.uploads.release(sha256));
    } catch (error) {
      log.warn({ run, window: open.window - 1, err: error }, 'a sealed copy could not be removed');
    }
  }

  async function goOn(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!state.stopping()) {
      try {
        if (failure !== undefined) await resume();
        sampler.consider({ window: open.window, root: open.stateRoot, parameters });
        if (!open.judging) {
          if (windowClock.settlesLate) await settle();
          await setDeadlines(await windowClock.untilPutOpens(open, abort.signal));
          windowClock.putOpened(open.window);
          emitClock();
          await setDeadlines(await windowClock.untilPutCloses(open, abort.signal));
        }
        abort.signal.throwIfAborted();
        await closeWindow();
        failure = undefined;
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (state.stopping()) return;
        failure = `Window ${open.window} could not be judged and is tried again; the log says why.`;
        ports.metrics.judgeFailed();
        log.error({ run, window: open.window, err: error }, 'the judge failed');
        await renewEngine();
        await clock.sleep(retryMs, abort.signal).catch(() => undefined);
        retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      }
    }
  }

  if (!windowClock.settlesLate) await settle();
  windowClock.onChange(emitClock);

  return {
    ...service,
    subscribe: (listener) => hub.subscribe(listener),
    unready() {
      if (!loop || state.stopping()) return 'The validator is not running windows.';
      const waiting = windowClock.settlesLate && windowClock.blocks(open)?.head == null;
      return failure ?? (waiting ? 'No finalised block of the chain has been heard of yet.' : undefined);
    },
    start() {
      loop ??= goOn();
    },
    async stop() {
      abort.abort(new DOMException('the validator stops', 'AbortError'));
      await loop;
      await uploads.ended();
      await sampler.settled();
      await disposeOf(engine);
    },
    closeWindow,
  };
}
