/** What the page may ask of the verifier worker, and what it is told. Types only: importing it pulls in no engine. */
import type { Finding } from '../../validator/audit/audit.ts';

export interface VerifyOptions {
  readonly validatorUrl: string;
  /** Where requests to a validator in this tab go, as `portFetch` takes it; over the network without it. */
  readonly validatorPort?: MessagePort;
  readonly window: number;
}

export type VerifierEvent =
  /** What is being looked at now, in words. */
  { readonly type: 'progress'; readonly what: string } | { readonly type: 'finding'; readonly finding: Finding };

export type VerifyResult =
  { readonly ended: true; readonly seconds: number } | { readonly ended: false; readonly reason: string };

// A type, not an interface: its methods are indexed by name at the boundary.
export type VerifierApi = {
  /** Where events go from now on. */
  connect(events: MessagePort, life: string): Promise<boolean>;
  /** Recomputes a published window from public data; findings come as events. Resolves when all are made. */
  verify(options: VerifyOptions): Promise<VerifyResult>;
};
