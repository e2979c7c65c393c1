/**
 * What the page may ask of the trainer worker, and what the worker tells it. Types only: importing it pulls in neither
 * the contributor nor an engine.
 */
import type { ContributorEvent } from '../client/events.ts';
import type { WebBackend } from '../engine/capability.ts';

export interface StartOptions {
  readonly validatorUrl: string;
  /** Where requests to a validator in this tab go, as `portFetch` takes it; over the network without it. */
  readonly validatorPort?: MessagePort;
  /** Of the IndexedDB database; the site's own without it. */
  readonly databaseName?: string;
  readonly forceBackend?: WebBackend;
  /** GPU memory that may be used, in MiB. */
  readonly memoryMib?: number;
  /** Duty cycle in percent, 10-100. */
  readonly throttlePercent?: number;
  /** Whether it begins paused. */
  readonly paused?: boolean;
  /** Whether the first window that it takes part in is the last. */
  readonly finishing?: boolean;
  /** How long another tab that trains is waited for, in milliseconds. */
  readonly patienceMs?: number;
  /** The wallet's hotkey that contributes, and the run that it signed for; the guest without it. */
  readonly wallet?: { readonly run: string; readonly hotkey: string } | undefined;
}

/** A failure as data: an error's remedy would not survive the worker boundary. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

export type StartResult = { readonly started: true } | ({ readonly started: false; readonly code: string } & Refusal);

/** The contributor's events, in order, over the port given to `connect`. */
export type TrainerEvent = ContributorEvent;

// A type, not an interface: its methods are indexed by name at the boundary.
export type TrainerApi = {
  /** Where events go from now on. */
  connect(events: MessagePort, life: string): Promise<boolean>;
  /** Resolves once the contributor runs; everything after that comes as events. */
  start(options: StartOptions): Promise<StartResult>;
  /** Pausing takes effect after the present micro-batch. */
  setPaused(paused: boolean): void;
  /** Stops by itself once the present window is delivered, or the next one. */
  setFinishing(finishing: boolean): void;
  /** @param percent duty cycle, 10-100 */
  setThrottle(percent: number): void;
  /** Resolves when nothing runs any more and the optimiser state is saved. */
  stop(): Promise<void>;
};
