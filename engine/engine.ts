/**
 * What an engine is: a compiled model on some device that turns batches into losses and gradients, gradients into
 * messages, and takes outer steps. Implemented by `web.ts` (WebGPU or WASM in a worker) and `node.ts`. It knows nothing
 * of windows or the network. Parameters are the flat fp32 vector of `core/model/layout.ts`. Calls on one engine must not
 * overlap: each is awaited before the next. Only calls of `accumulate` may follow one another unawaited: they are done
 * in turn.
 */
import type { Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import type { OuterStep, Scheme } from '../core/scheme/scheme.ts';

export interface LossSum {
  /** Sum of the next-token cross-entropies, in nats. */
  readonly sum: number;
  /** Predicted tokens it is the sum of. */
  readonly count: number;
}

/** Which device an engine runs on, in words a person can read. */
export interface BackendReport {
  readonly backend: 'webgpu' | 'wasm' | 'node';
  /** Adapter or processor name, e.g. "nvidia ampere" or "WASM, 4 threads". */
  readonly device: string;
  /** A software adapter emulates a GPU on the processor: slower than WASM, and no measure of a GPU. */
  readonly software: boolean;
  /** Why this backend and not another, one sentence each. */
  readonly reasons: readonly string[];
}

export interface EngineOptions {
  readonly config: ModelConfig;
  /** Sequences B of every batch: the compiled graphs have fixed shapes. */
  readonly sequences: number;
  /** Tokens T of every sequence; defaults to the model's context length. */
  readonly length?: number;
}

/** Forward only. */
export interface Evaluator {
  readonly report: BackendReport;
  readonly sequences: number;
  readonly length: number;
  /** Replaces all parameters. @throws RangeError when the length is not the layout's total. */
  setParameters(parameters: Float32Array): Promise<void>;
  /** A copy of the parameters as the device holds them now. */
  readParameters(): Promise<Float32Array<ArrayBuffer>>;
  /** Applies an outer step on the device, bit for bit as `applyOuterStep` of core/lockstep does. */
  applyStep(step: OuterStep): Promise<void>;
  /** Cross-entropy of a [B, T] batch. @throws RangeError for a batch of other shape or a token out of range. */
  loss(batch: Batch): Promise<LossSum>;
  /** Frees sessions and device buffers; further calls reject. */
  dispose(): Promise<void>;
}

/**
 * The contributor's side of a scheme, with its state where the engine's gradient is: on a GPU only the message crosses
 * to this process. The bytes of bodies and states are those of `core/scheme`.
 */
export interface Compressor {
  /**
   * A local step with the mean of the gradients accumulated since the last: the device's parameters move and the
   * accumulator is zero. Called only where the scheme has `localSteps`.
   *
   * @throws RangeError when a gradient is not finite @throws Error when nothing was accumulated
   */
  localStep(window: number): Promise<void>;
  /**
   * Folds the window's work into the optimiser state, extracts the message and feeds the error back: the accumulated
   * mean gradient, or where the scheme has `localSteps` how far these moved the parameters, gradients accumulated since
   * the last one included. The accumulator is zero afterwards and the parameters are those of the window.
   *
   * @returns the body of a contribution
   * @throws RangeError when a gradient is not finite (the state is then unchanged)
   * @throws Error when nothing was accumulated
   */
  compress(window: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Forgets a window's work that was not compressed: the accumulator is zero, the parameters are those of the window,
   * and the local optimiser's moments are what its steps made of them. Harmless when there is none.
   */
  discard(): Promise<void>;
  /** Adds what the last message took out back to the state: it was not delivered. Harmless when there is none. */
  undo(): Promise<void>;
  /** Bytes of a saved state. */
  readonly stateBytes: number;
  saveState(): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws RangeError when the bytes are not a state of this layout. */
  loadState(bytes: Uint8Array): Promise<void>;
}

/** Forward and backward, with the gradient accumulated on the device over micro-batches. */
export interface Trainer extends Evaluator {
  /** Adds the gradient of the batch's loss *sum* to the accumulator, and returns the loss. */
  accumulate(batch: Batch): Promise<LossSum>;
  /**
   * The accumulated gradient divided by the number of predicted tokens (the gradient of the mean loss), flat in layout
   * order; the accumulator is zero afterwards. @throws Error when nothing was accumulated.
   */
  takeGradient(): Promise<Float32Array<ArrayBuffer>>;
  /** Forgets what was accumulated; harmless when nothing was. */
  discardGradient(): Promise<void>;
  /** A compressor of this trainer's gradients, which `dispose` frees with the rest. */
  createCompressor(scheme: Scheme): Promise<Compressor>;
}
