/** Window after window: catch up, train, compress, deliver, wait for the next. */
import { assignedPages, sampleDigest } from '../core/data/assignment.ts';
import { syncPositions } from '../core/gauntlet/sync.ts';
import type { ClockState, SignedReceipt } from '../core/protocol/api.ts';
import type { ContributionHeader } from '../core/protocol/contribution.ts';
import { encodeContribution } from '../core/wire/contribution.ts';
import type { Behaviour } from './behaviour.ts';
import type { ContributorContext } from './context.ts';
import { deliveryReserveMs, timeLeft, type TimeLeft } from './deadline.ts';
import { followDeadlines, type Deadlines } from './deadlines.ts';
import { deliver } from './delivery.ts';
import type { Device } from './device.ts';
import { TooSlowError } from './failure.ts';
import { UnreachableError } from './http.ts';
import type { Session } from './session.ts';
import { trainPages, type Training } from './training.ts';

/** Training that could not last this long is not begun, nor this share of a shorter window's: the next window is. */
const MIN_TRAINING_MS = 1_500;
const MIN_TRAINING_SHARE = 0.25;
const POLL_MS = 400;
const LONGEST_POLL_MS = 5_000;
/** A pause that lasts is one in which the tab may be closed. */
const LONG_PAUSE_MS = 30_000;
/** Windows in a row too short for a single page, after which going on is no use. */
const SLOW_WINDOWS = 3;
/** The same of a device that has delivered here: it is busy with something else, which passes. */
const BUSY_WINDOWS = 30;
/** Windows in a row without a page, after which the time that a delivery takes is learnt anew. */
const EMPTY_WINDOWS = 2;

/** What a window ends at: where blocks are the clock, instants are forecasts and move. */
const endOf = ({ blocks, putClosesAt }: ClockState): number | string => blocks?.putCloses ?? putClosesAt;

export interface WindowLoopOptions {
  readonly maxPages: number | undefined;
  readonly behaviour: Behaviour;
  /** The parameters are those of the open window. */
  readonly onCaughtUp: () => void;
  /** A contribution was accepted. */
  readonly onDelivered: () => void;
}

/** Contributes for as long as nothing fails. @returns once a window has ended that was to be the last */
export async function followWindows(
  context: ContributorContext,
  session: Session,
  { maxPages, behaviour, onCaughtUp, onDelivered }: WindowLoopOptions,
): Promise<void> {
  const { ports, clock, controls, signal, emit, status } = context;
  const { run, manifest, hotkey, scheme, pages, replica, optimiser } = session;
  const { chain } = manifest;
  const minTrainingMs = Math.min(MIN_TRAINING_MS, MIN_TRAINING_SHARE * 1_000 * manifest.window.trainSeconds);
  /** Where blocks are the clock, what was read of it is a forecast that the next block changes. */
  const holdMs = chain ? Math.min(LONGEST_POLL_MS, 1_000 * chain.blockSeconds) : Infinity;

  for (;;) {
    const now = await clock.read(signal);
    if (now.run !== run) throw new UnreachableError('the validator now runs another run');
    if (controls.paused) {
      await stayPaused();
      if (controls.finishing) return;
      continue;
    }
    // What a window that failed half-way had accumulated is of no use, and steps apply to the parameters before it.
    await session.device().discard();
    if (replica.window === 0 || (behaviour.catchesUp?.(now.window) ?? true)) {
      await replica.catchUp({ window: now.window, root: now.stateRoot }, signal);
    }
    onCaughtUp();
    const takesPart = behaviour.takesPart?.(now.window) ?? true;
    const inTime = takesPart && now.phase === 'train' && clock.msUntil(now.putOpensAt) > minTrainingMs;
    const delivered = inTime && (await contribute(now));
    if (inTime && controls.finishing) return;
    await nextWindow(now, !inTime ? 'first-window' : delivered ? 'judgement' : 'next-window');
  }

  /** Only the clock is read: catching up would keep the device busy, and can be done in one go afterwards. */
  async function stayPaused(): Promise<void> {
    const paused = ports.now();
    const lasts = (): boolean => controls.paused && !controls.finishing;
    while (lasts()) {
      const { window } = await clock.read(signal);
      // A change made while the clock was asked has woken nobody: a nap begun now would sleep through it.
      if (!lasts()) return;
      status({ kind: 'paused', window });
      if (ports.now() - paused > LONG_PAUSE_MS) await optimiser.save();
      controls.throttle.idled(await controls.nap(LONGEST_POLL_MS));
    }
  }

  /** Waits until the validator has published the window. */
  async function nextWindow(
    current: ClockState,
    waitingFor: 'judgement' | 'first-window' | 'next-window',
  ): Promise<void> {
    for (let now = current; ; now = await clock.read(signal)) {
      if (now.window !== current.window) return;
      if (endOf(now) !== endOf(current) && now.phase === 'train') return;
      const { window } = current;
      status(controls.paused ? { kind: 'paused', window } : { kind: 'waiting', window, waitingFor });
      const untilClosed = clock.msUntil(now.putClosesAt);
      const napMs = Math.max(POLL_MS, Math.min(untilClosed, LONGEST_POLL_MS, holdMs));
      controls.throttle.idled(await controls.nap(napMs));
    }
  }

  /** @returns whether something was delivered */
  async function contribute(now: ClockState): Promise<boolean> {
    const deadlines = followDeadlines(context, now, holdMs);
    try {
      return await contributeBy(deadlines);
    } finally {
      deadlines.stop();
    }
  }

  async function contributeBy(deadlines: Deadlines): Promise<boolean> {
    const { window } = deadlines.latest();
    const device = session.device();
    const { compressor } = device;
    const training = await train(deadlines, device);
    if (training.pages.length === 0) return false;
    status({ kind: 'compressing', window });
    const { body, busyMs } = await device.compress(window);
    controls.throttle.worked(busyMs);
    const receipt = await send(deadlines, training, body).catch(async (error: unknown) => {
      // What was not delivered was not sent. A device that cannot take it back is lost, which its next use will show.
      await compressor.undo().catch(() => undefined);
      throw error;
    });
    emit({ type: 'receipt', receipt, pagesTrained: training.pages.length, trainLoss: training.meanLoss });
    session.slowWindows = 0;
    session.emptyWindows = 0;
    session.delivered = true;
    onDelivered();
    await optimiser.delivered(window);
    return true;
  }

  async function train(deadlines: Deadlines, device: Device): Promise<Training> {
    const now = deadlines.latest();
    const assigned = assignedPages(now.assignmentSeed, hotkey, pages.trainPages, manifest.training.pagesPerWindow);
    const numbers = (behaviour.choosePages?.(assigned, pages.trainPages, now.window) ?? assigned).slice(0, maxPages);
    const training = await trainPages(context, {
      device,
      window: now.window,
      pages: pages.stream(numbers, signal),
      pagesAssigned: numbers.length,
      pageSequences: manifest.data.pageSequences,
      pagesPerStep: scheme.localSteps?.pagesPerStep ?? Infinity,
      timeLeft: () => timeLeftIn(deadlines.latest(), device),
    });
    if (training.pages.length === 0 || timeLeftIn(deadlines.latest(), device).latestMs <= 0)
      noteSlowness(device, training.pageMs);
    return training;
  }

  function reserveMs({ compression }: Device, putPhaseMs: number): number {
    return deliveryReserveMs(compression.safeMs(), session.upload.safeMs(), putPhaseMs);
  }

  function timeLeftIn({ putOpensAt, putClosesAt }: ClockState, device: Device): TimeLeft {
    const reserve = reserveMs(device, Date.parse(putClosesAt) - Date.parse(putOpensAt));
    return timeLeft(clock.msUntil(putOpensAt), clock.msUntil(putClosesAt), reserve);
  }

  /** No page was finished in time: because the window was nearly over, or because no window is long enough? */
  function noteSlowness(device: Device, pageMs = 0): void {
    const { trainSeconds, putSeconds } = manifest.window;
    const windowMs = 1_000 * (trainSeconds + putSeconds);
    const neededMs = pageMs + reserveMs(device, 1_000 * putSeconds);
    // Where nothing is delivered, nothing else would correct what a bad moment made of the time that a delivery takes.
    if (++session.emptyWindows >= EMPTY_WINDOWS) {
      device.compression.forget();
      session.upload.forget();
    }
    if (neededMs <= windowMs) return;
    const error = new TooSlowError(neededMs, windowMs, controls.throttle.stretch > 1);
    const patience = session.delivered ? BUSY_WINDOWS : SLOW_WINDOWS;
    if (++session.slowWindows >= patience) throw error;
    emit({ type: 'warning', message: `${error.message} ${error.remedy}` });
  }

  async function send(
    deadlines: Deadlines,
    { pages: trained, meanLoss }: Training,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<SignedReceipt> {
    const { window } = deadlines.latest();
    const about = { window, scheme };
    const positions = syncPositions(window, hotkey, scheme.layout);
    const header: ContributionHeader = {
      run,
      window,
      hotkey,
      scheme: scheme.name,
      root: replica.root,
      pagesTrained: trained.length,
      sampleDigest: sampleDigest(trained),
      trainLoss: meanLoss,
      syncSample: positions.map((position) => replica.parameters[position]!),
    };
    const bytes = await encodeContribution(
      (await behaviour.replaceHeader?.(header, about)) ?? header,
      (await behaviour.replaceBody?.(body, about)) ?? body,
      ports.identity.sessionSigner,
    );
    const { putSeconds } = manifest.window;
    const uploadAfterMs = 1_000 * (behaviour.uploadAfterSeconds?.({ putSeconds, window }) ?? 0);
    return deliver(context, session, deadlines, behaviour.replaceUpload?.(bytes, about) ?? bytes, uploadAfterMs);
  }
}
