/**
 * A scheme turns a window's work into bytes, and many peers' bytes into one outer step. Gauntlet, the validator and
 * the contributor see only this interface. Everything here is deterministic: the same inputs give the same bits in
 * every engine, because an auditor recomputes them.
 */
import type { SignStep } from '../lockstep/sign-step.ts';
import type { ParameterLayout } from '../model/layout.ts';
import type { RunManifest } from '../protocol/manifest.ts';

/** A decoded message: per parameter tensor, per chunk, the kept coefficients. */
export interface SparseDelta {
  readonly tensors: readonly {
    /** [chunks, k] coefficient numbers inside their chunk, ascending. */
    readonly indices: Uint16Array;
    /** [chunks, k] values as sent (not yet normalised). */
    readonly values: Float32Array;
  }[];
}

/** The step of a window, by scheme. Sparse steps join here as a second kind. */
export type OuterStep = SignStep;

/** The contributor's side: keeps momentum and error feedback between windows. */
export interface SchemeContributor {
  /**
   * Folds a mean gradient into the momentum, extracts the message and feeds the error back.
   *
   * @param gradient flat fp32 vector [layout.total]
   * @param learningRate η of this window
   * @returns the body of a contribution, exactly `scheme.bodyBytes` long
   * @throws RangeError when the gradient's length differs or a value is not finite (the state is then unchanged)
   */
  compress(gradient: Float32Array, learningRate: number): Uint8Array<ArrayBuffer>;
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
  /** η of a window, an exact fp32 value. */
  learningRate(window: number): number;
  createContributor(): SchemeContributor;
  /** @throws ProblemError `malformed-contribution`, `index-out-of-range` or `not-finite`, before it allocates. */
  decodeBody(body: Uint8Array): SparseDelta;
  /**
   * Aggregates messages in the order given: normalise each in the encoded domain, mean over senders a coordinate,
   * decode, sign.
   *
   * @throws RangeError when there is none
   */
  outerStep(deltas: readonly SparseDelta[], learningRate: number): OuterStep;
  /** θ ← θ - step, in place, by the lockstep rule. */
  applyStep(parameters: Float32Array, step: OuterStep): void;
  /** Canonical bytes of a step: header {run, window, scheme, learningRate}, touched chunks, sign bits. */
  encodeStep(step: OuterStep, about: { run: string; window: number }): Uint8Array<ArrayBuffer>;
  /** @throws ProblemError `malformed-request`, `wrong-run`, `wrong-window` */
  decodeStep(bytes: Uint8Array, about: { run: string; window: number }): OuterStep;
}
