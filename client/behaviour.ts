/**
 * Where a contributor may be made to deviate from the honest protocol. The honest one has none of these; `simulate/`
 * fills them in, so that an attacker runs the same code as everyone else up to the point where it cheats.
 */
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Trainer } from '../engine/engine.ts';

export interface Behaviour {
  /** Pages to train instead of those assigned. @param trainPages how many the run has */
  readonly choosePages?: (assigned: readonly number[], trainPages: number) => readonly number[];
  /** What computes gradients and messages, instead of the engine that was compiled. */
  readonly replaceTrainer?: (trainer: Trainer) => Trainer;
  /** The body to upload instead of the one compressed. */
  readonly replaceBody?: (
    body: Uint8Array<ArrayBuffer>,
    context: { readonly window: number; readonly scheme: Scheme },
  ) => Promise<Uint8Array<ArrayBuffer>>;
}
