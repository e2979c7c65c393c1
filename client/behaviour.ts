/**
 * Where a contributor may be made to deviate from the honest protocol. The honest one has none of these; `simulate/`
 * fills them in, so that an attacker runs the same code as everyone else up to the point where it cheats.
 */
import type { ContributionHeader } from '../core/protocol/contribution.ts';
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Trainer } from '../engine/engine.ts';

/** The contribution that is being made. */
export interface Deviation {
  readonly window: number;
  readonly scheme: Scheme;
}

export interface Behaviour {
  /** Whether to contribute to a window at all. */
  readonly takesPart?: (window: number) => boolean;
  /** Whether to take the newest outer steps before training. The first time there is nothing else to train. */
  readonly catchesUp?: (window: number) => boolean;
  /** Pages to train instead of those assigned. @param trainPages how many the run has */
  readonly choosePages?: (assigned: readonly number[], trainPages: number, window: number) => readonly number[];
  /** What computes gradients and messages, instead of the engine that was compiled. */
  readonly replaceTrainer?: (trainer: Trainer) => Trainer;
  /** The body to upload instead of the one compressed. */
  readonly replaceBody?: (body: Uint8Array<ArrayBuffer>, about: Deviation) => Promise<Uint8Array<ArrayBuffer>>;
  /** What to claim instead of the truth. */
  readonly replaceHeader?: (
    header: ContributionHeader,
    about: Deviation,
  ) => ContributionHeader | Promise<ContributionHeader>;
  /** The bytes to upload instead of the signed contribution. */
  readonly replaceUpload?: (bytes: Uint8Array<ArrayBuffer>, about: Deviation) => Uint8Array<ArrayBuffer>;
  /** When to upload instead of as soon as the put phase opens: seconds after its opening, negative before. */
  readonly uploadAfterSeconds?: (phase: { readonly putSeconds: number; readonly window: number }) => number;
  /** Whether to go on after a failure that an honest peer's owner has to mend, such as a refused form. */
  readonly persists?: boolean;
}
