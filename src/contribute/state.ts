/**
 * What the screen knows of the contributor, as a pure function of the events it sent. Nothing here touches the browser:
 * time comes in with each action.
 */
import type { ContributorEvent, ContributorStatus } from '../../client/events.ts';
import { THROTTLE_PERCENT } from '../../client/throttle.ts';
import type { SignedReceipt } from '../../core/protocol/api.ts';
import type { BackendReport } from '../../engine/engine.ts';
import type { Hold } from './hold.ts';
import { appendLoss, EMPTY_LOSS_HISTORY, type LossHistory } from './loss-history.ts';

export interface OwnReceipt {
  readonly signed: SignedReceipt;
  readonly pagesTrained: number;
  readonly trainLoss: number;
}

export interface Warning {
  readonly atMs: number;
  readonly message: string;
}

/** When the present transfer began and with how many bytes, for its rate. */
export interface Transfer {
  readonly what: string;
  readonly startedAtMs: number;
  readonly startedBytes: number;
}

export interface ContributeState {
  readonly status: ContributorStatus;
  readonly statusSinceMs: number;
  readonly transfer: Transfer | undefined;
  readonly backend: BackendReport | undefined;
  readonly losses: LossHistory;
  readonly lastLoss: number | undefined;
  /** Smoothed over micro-batches. */
  readonly tokensPerSecond: number | undefined;
  /** The same apart for when the tab is seen and when it is hidden: what hiding costs. */
  readonly speeds: { readonly visible: number | undefined; readonly hidden: number | undefined };
  readonly tokensTrained: number;
  /** Newest first. */
  readonly receipts: readonly OwnReceipt[];
  /** The newest parameters whose root was recomputed here and agreed. */
  readonly verifiedRoot: { readonly window: number; readonly root: string } | undefined;
  /** The window after which the optimiser state was saved that this tab went on from. */
  readonly momentumWindow: number | undefined;
  /** What a person set: a worker started anew begins with it. */
  readonly paused: boolean;
  /** Why a rule that a person set holds the device still; undefined when none does. */
  readonly hold: Hold | undefined;
  /** Whether it stops once the present window is delivered. */
  readonly finishing: boolean;
  /** Duty cycle, 10-100. */
  readonly throttlePercent: number;
  /** Newest first. */
  readonly warnings: readonly Warning[];
}

export type ContributeAction =
  | { readonly type: 'event'; readonly event: ContributorEvent; readonly atMs: number; readonly hidden?: boolean }
  | { readonly type: 'set-paused'; readonly paused: boolean }
  | { readonly type: 'set-hold'; readonly hold: Hold | undefined }
  | { readonly type: 'set-finishing'; readonly finishing: boolean }
  | { readonly type: 'set-throttle'; readonly percent: number }
  | { readonly type: 'dismiss-warnings' };

const MAX_RECEIPTS = 50;
const MAX_WARNINGS = 5;
const RATE_KEEP = 0.8;

export const INITIAL_STATE: ContributeState = {
  status: { kind: 'idle' },
  statusSinceMs: 0,
  transfer: undefined,
  backend: undefined,
  losses: EMPTY_LOSS_HISTORY,
  lastLoss: undefined,
  tokensPerSecond: undefined,
  speeds: { visible: undefined, hidden: undefined },
  tokensTrained: 0,
  receipts: [],
  verifiedRoot: undefined,
  momentumWindow: undefined,
  paused: false,
  hold: undefined,
  finishing: false,
  throttlePercent: THROTTLE_PERCENT.max,
  warnings: [],
};

export function reduce(state: ContributeState, action: ContributeAction): ContributeState {
  switch (action.type) {
    case 'event':
      return reduceEvent(state, action.event, action.atMs, action.hidden ?? false);
    case 'set-paused':
      return { ...state, paused: action.paused };
    case 'set-hold':
      return { ...state, hold: action.hold };
    case 'set-finishing':
      return { ...state, finishing: action.finishing };
    case 'set-throttle':
      return { ...state, throttlePercent: action.percent };
    case 'dismiss-warnings':
      return { ...state, warnings: [] };
    default:
      return action satisfies never;
  }
}

const smoothed = (before: number | undefined, now: number): number =>
  before === undefined ? now : RATE_KEEP * before + (1 - RATE_KEEP) * now;

function reduceEvent(state: ContributeState, event: ContributorEvent, atMs: number, hidden: boolean): ContributeState {
  switch (event.type) {
    case 'status':
      // Events that were under way when Stop was pressed would make the screen flicker back.
      if (state.status.kind === 'stopping' && isActive(event.status)) return state;
      return {
        ...state,
        status: event.status,
        statusSinceMs: event.status.kind === state.status.kind ? state.statusSinceMs : atMs,
        transfer: followTransfer(state.transfer, event.status, atMs),
      };
    case 'identity':
      // The page reads the same key from storage itself.
      return state;
    case 'backend':
      return { ...state, backend: event.report };
    case 'loss':
      return {
        ...state,
        losses: appendLoss(state.losses, event.loss, event.window),
        lastLoss: event.loss,
        tokensPerSecond: smoothed(state.tokensPerSecond, event.tokensPerSecond),
        speeds: hidden
          ? { ...state.speeds, hidden: smoothed(state.speeds.hidden, event.tokensPerSecond) }
          : { ...state.speeds, visible: smoothed(state.speeds.visible, event.tokensPerSecond) },
        tokensTrained: state.tokensTrained + event.tokens,
      };
    case 'receipt': {
      const own = { signed: event.receipt, pagesTrained: event.pagesTrained, trainLoss: event.trainLoss };
      return { ...state, receipts: [own, ...state.receipts].slice(0, MAX_RECEIPTS) };
    }
    case 'state-root':
      return { ...state, verifiedRoot: { window: event.window, root: event.root } };
    case 'momentum':
      return { ...state, momentumWindow: event.window };
    case 'warning': {
      const repeated = state.warnings[0]?.message === event.message;
      const older = repeated ? state.warnings.slice(1) : state.warnings;
      return { ...state, warnings: [{ atMs, message: event.message }, ...older].slice(0, MAX_WARNINGS) };
    }
    default:
      return event satisfies never;
  }
}

function followTransfer(transfer: Transfer | undefined, status: ContributorStatus, atMs: number): Transfer | undefined {
  if (status.kind !== 'downloading' && status.kind !== 'uploading') return undefined;
  const what = status.kind === 'downloading' ? status.what : 'upload';
  if (transfer?.what === what && status.bytes >= transfer.startedBytes) return transfer;
  return { what, startedAtMs: atMs, startedBytes: status.bytes };
}

/** Seconds that a transfer still takes at its rate so far; undefined until there is a rate. */
export function transferSecondsLeft(
  transfer: Transfer | undefined,
  progress: { readonly bytes: number; readonly totalBytes: number },
  nowMs: number,
): number | undefined {
  if (!transfer) return undefined;
  const bytes = progress.bytes - transfer.startedBytes;
  const seconds = (nowMs - transfer.startedAtMs) / 1_000;
  if (bytes <= 0 || seconds < 0.5) return undefined;
  return ((progress.totalBytes - progress.bytes) * seconds) / bytes;
}

/** Whether a contributor is at work, or will be again by itself. */
export function isActive(status: ContributorStatus): boolean {
  return status.kind !== 'idle' && status.kind !== 'stopped' && status.kind !== 'failed';
}
