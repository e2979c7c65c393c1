/** The API's answers from a run's record: the same in the process that drives the windows and in those beside it. */
import type { ClockState, Phase } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { ValidatorService } from '../http/validator-service.ts';
import { readBook } from './books.ts';
import { instant, type RoundsPorts, type RunContext } from './context.ts';
import type { GuestLimits } from './guests.ts';
import { joinRun, revokeDelegation } from './peers.ts';
import type { JudgeEngine, ModelState, RunChain } from './ports.ts';
import type { OpenWindow } from './store.ts';
import { createUploads, type Uploads } from './uploads.ts';
import { createViews, type Views } from './views.ts';
import type { WindowClock } from './window-clock.ts';

const MAX_SAMPLES = 1_000;

export interface RoundsOptions {
  /** Peers the run admits. */
  readonly maxPeers: number;
  /** Of these, guests; by default as many as there is room for. */
  readonly guests?: GuestLimits;
}

/** What changes while a run goes on, as this process knows it. */
export interface RunState {
  open(): OpenWindow;
  phase(): Phase;
  engine(): Pick<JudgeEngine, 'inspect'>;
  /** θ of the open window. */
  model(): Promise<ModelState>;
  /** Whether this process is ending. */
  stopping(): boolean;
}

export interface RunService extends Omit<ValidatorService, 'subscribe' | 'unready'> {
  readonly context: RunContext;
}

export interface ServiceParts {
  readonly service: RunService;
  readonly uploads: Uploads;
  readonly views: Views;
}

export function createService(
  context: RunContext,
  ports: RoundsPorts,
  windowClock: WindowClock,
  state: RunState,
  options: RoundsOptions,
): ServiceParts {
  const { store, clock, log, chain } = ports;
  const { run } = context;
  const uploads = createUploads(context, ports, state);
  const views = createViews(context, store, state);

  function clockState(): ClockState {
    const open = state.open();
    const { putOpensAt, putClosesAt } = windowClock.forecast(open);
    return {
      run,
      window: open.window,
      phase: state.phase(),
      opensAt: instant(open.opensAt),
      putOpensAt: instant(putOpensAt),
      putClosesAt: instant(putClosesAt),
      serverTime: instant(clock.now()),
      assignmentSeed: open.assignmentSeed,
      stateRoot: open.stateRoot,
      blocks: windowClock.blocks(open),
    };
  }

  function inChainRun(): RunChain {
    if (!chain) throw new ProblemError('no-chain', 'This run has no chain: its scores and weights are its own.');
    return chain;
  }

  function assertServing(): void {
    if (state.stopping()) throw new ProblemError('not-ready', 'The validator is stopping: try again in a moment.');
  }

  const service: RunService = {
    context,
    manifest: () => context.signed,
    clock: clockState,
    checkpoint: () => views.checkpoint(),
    model: () => state.model(),
    async join(request, address) {
      const { window } = state.open();
      const { hotkey } = await joinRun(context, ports, request, { ...options, window, address });
      log.info({ run, window, hotkey }, 'peer joined');
      return views.peer(hotkey);
    },
    async revoke(hotkey, request) {
      await revokeDelegation(context, ports, hotkey, request);
      log.info({ run, window: state.open().window, hotkey }, 'delegation revoked');
      return views.peer(hotkey);
    },
    peer: (hotkey) => views.peer(hotkey),
    leaderboard: () => views.leaderboard(),
    chain: () => inChainRun().state(),
    async chainRecords(hotkey, limit) {
      inChainRun();
      return store.chainRecords(hotkey, limit);
    },
    window: (window) => views.window(window),
    book: (window) => readBook(ports, window),
    refusals: (window) => views.refusals(window),
    windows: (from, limit) => views.windows(from, limit),
    samples: () => store.samples(MAX_SAMPLES),
    ticket: (window, request) => uploads.ticket(window, request),
    receive(ticket, declared, body) {
      assertServing();
      return uploads.receive(ticket, declared, body);
    },
    arrived(ticket) {
      assertServing();
      return uploads.arrived(ticket);
    },
  };
  return { service, uploads, views };
}
