/**
 * A scheme turns a window's work into bytes, and many peers' bytes into one outer step. Gauntlet, the validator and
 * the contributor see only this interface. Everything here is deterministic: the same inputs give the same bits in
 * every engine, because an auditor recomputes them.
 */
import type { SignStep } from '../lockstep/sign-step.ts';
import type { SparseStep } from '../lockstep/sparse-step.ts';
import type { ParameterLayout } from '../model/layout.ts';
import type { RunManifest } from '../protocol/manifest.ts';

/** A decoded message: per parameter tensor, per chunk, the kept coefficients. */
export interface SparseDelta {
  readonly tensors: readonly {
    /** [chunks, k] element numbers inside their chunk, ascending. */
    readonly indices: Uint16Array;
    /** [chunks, k] values as sent (not yet normalised). */
    readonly values: Float32Array;
  }[];
  /** The bytes it was decoded from: some schemes' steps are made of them. */
  readonly body: Uint8Array;
}

/** The step of a window, by scheme. */
export type OuterStep = SignStep | SparseStep;

/** The contributor's side: keeps momentum and error feedback between windows. */
export interface SchemeContributor {
  /**
   * A local step of the model, in place: only where the scheme has `localSteps`.
   *
   * @param parameters flat fp32 vector [layout.total], the contributor's own copy
   * @param gradient mean gradient of the step's pages, same shape
   * @throws RangeError when a value is not finite (nothing has changed then)
   */
  localStep?(parameters: Float32Array, gradient: Float32Array, window: number): void;
  /**
   * Folds a window's work into the state, extracts the message and feeds the error back.
   *
   * @param work flat fp32 vector [layout.total]: the mean gradient, or where the scheme has `localSteps` the
   *   pseudo-gradient, the window's parameters less those after the local steps
   * @param learningRate of the window
   * @returns the body of a contribution, exactly `scheme.bodyBytes` long
   * @throws RangeError when the length differs or a value is not finite (the state is then unchanged)
   */
  compress(work: Float32Array, learningRate: number): Uint8Array<ArrayBuffer>;
  /** Adds what the last message took out back to the momentum: it was not delivered. Harmless when there is none. */
  undo(): void;
  /** Bytes of a saved state. */
  readonly stateBytes: number;
  /** The optimiser state as bytes, to survive a reload. */
  saveState(): Uint8Array<ArrayBuffer>;
  /** @throws RangeError when the bytes are not a state of this layout. */
  loadState(bytes: Uint8Array): void;
}

export interface Scheme {
  readonly name: RunManifest['scheme']['name'];
  /** As the manifest has them, for an implementation of the contributor elsewhere: on a GPU. */
  readonly parameters: RunManifest['scheme'];
  readonly layout: ParameterLayout;
  /** Bytes of every body: it depends on the model alone. */
  readonly bodyBytes: number;
  /** Bytes of an outer step of so many contributions. */
  stepBytes(contributions: number): number;
  /** Null where a window's gradients are summed and the model stays; else it moves after every so many pages. */
  readonly localSteps: { readonly pagesPerStep: number } | null;
  /** Size of a window's outer step, an exact fp32 value: η of a sign step, α of a sparse one. */
  learningRate(window: number): number;
  /** How far a parameter moves in a step of training, about: the unit of the sync distance. */
  syncUnit(window: number): number;
  createContributor(): SchemeContributor;
  /** @throws ProblemError `malformed-contribution`, `index-out-of-range` or `not-finite`, before it allocates. */
  decodeBody(body: Uint8Array): SparseDelta;
  /** For each tensor the norm that louder messages are clipped to; null where the scheme normalises them anyway. */
  medianNorms(deltas: readonly SparseDelta[]): readonly number[] | null;
  /**
   * Aggregates messages in the order given. None make a step that moves nothing.
   *
   * @param learningRate of the window, or a fraction of it for a trial
   * @param clipNorms of `medianNorms` over all of a window's messages, for a trial of some of them; by default those of
   *   the messages given
   */
  outerStep(deltas: readonly SparseDelta[], learningRate: number, clipNorms?: readonly number[] | null): OuterStep;
  /** Canonical bytes of a step, so that a step has one hash. @param step of `outerStep` or `decodeStep` */
  encodeStep(step: OuterStep, about: { run: string; window: number }): Uint8Array<ArrayBuffer>;
  /** @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window` */
  decodeStep(bytes: Uint8Array, about: { run: string; window: number }): OuterStep;
}
