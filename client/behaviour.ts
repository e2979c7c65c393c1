/**
 * Where a contributor may be made to deviate from the honest protocol. The honest one has none of these; `simulate/`
 * fills them in, so that an attacker runs the same code as everyone else up to the point where it cheats.
 */
import type { Scheme } from '../core/scheme/scheme.ts';

export interface Behaviour {
  /** Pages to train instead of those assigned. @param trainPages how many the run has */
  readonly choosePages?: (assigned: readonly number[], trainPages: number) => readonly number[];
  /** The gradient to compress instead of the one computed. Skips training altogether when `skipTraining` is set. */
  readonly replaceGradient?: (gradient: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
  /** The body to upload instead of the one compressed. */
  readonly replaceBody?: (
    body: Uint8Array<ArrayBuffer>,
    context: { readonly window: number; readonly scheme: Scheme },
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** Upload without having trained: the gradient handed to `replaceGradient` is zero. */
  readonly skipTraining?: boolean;
}
