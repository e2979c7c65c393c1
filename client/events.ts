/**
 * What a contributor tells whoever watches it. Plain data, so that it crosses a worker boundary as it is. The states
 * are enumerated: a screen that handles each of them handles everything.
 */
import type { BackendReport } from '../engine/engine.ts';
import type { SignedReceipt } from '../core/protocol/api.ts';

export type ContributorStatus =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  /** Choosing a device and compiling the model for it. */
  | { readonly kind: 'compiling' }
  | {
      readonly kind: 'downloading';
      readonly what: 'checkpoint' | 'steps' | 'pages';
      readonly bytes: number;
      readonly totalBytes: number;
    }
  /** Applying outer steps and comparing the state root. */
  | { readonly kind: 'verifying'; readonly window: number }
  | {
      readonly kind: 'training';
      readonly window: number;
      readonly pagesDone: number;
      readonly pagesAssigned: number;
      /** Seconds until training must end, as planned. */
      readonly secondsLeft: number;
    }
  /** A person paused it: nothing is trained, the run is followed. */
  | { readonly kind: 'paused'; readonly window: number }
  | { readonly kind: 'compressing'; readonly window: number }
  | { readonly kind: 'uploading'; readonly window: number; readonly bytes: number; readonly totalBytes: number }
  | {
      readonly kind: 'waiting';
      readonly window: number;
      readonly waitingFor: 'put' | 'judgement' | 'next-window' | 'first-window';
    }
  /** The root differed or a window was missed: starting over from a checkpoint. */
  | { readonly kind: 'resyncing'; readonly reason: string }
  /** What a wallet signed is no longer in force. It goes on, with all its work, once a person has signed again. */
  | { readonly kind: 'needs-signature'; readonly reason: string }
  /** Something outside failed; it goes on by itself at `retryInSeconds`. */
  | { readonly kind: 'retrying'; readonly reason: string; readonly retryInSeconds: number }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' }
  /** It cannot go on; `remedy` says what a person can do. `code`: a problem's key, or an error's name. */
  | { readonly kind: 'failed'; readonly reason: string; readonly remedy: string; readonly code?: string };

export type ContributorEvent =
  | { readonly type: 'status'; readonly status: ContributorStatus }
  | { readonly type: 'identity'; readonly hotkey: string; readonly run: string }
  | { readonly type: 'backend'; readonly report: BackendReport }
  /** After each micro-batch: mean loss in nats a token. */
  | {
      readonly type: 'loss';
      readonly window: number;
      readonly step: number;
      readonly loss: number;
      readonly tokens: number;
      readonly tokensPerSecond: number;
    }
  | {
      readonly type: 'receipt';
      readonly receipt: SignedReceipt;
      readonly pagesTrained: number;
      readonly trainLoss: number;
    }
  /** Parameters verified: they train window `window`. */
  | { readonly type: 'state-root'; readonly window: number; readonly root: string }
  /** The optimiser state was loaded from storage, as it was after the delivery of `window`. */
  | { readonly type: 'momentum'; readonly window: number }
  | { readonly type: 'warning'; readonly message: string };
