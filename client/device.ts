/** The compiled engine with its compressor, what is known of their speed, and their failures under one name. */
import type { Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Compressor, LossSum, Trainer } from '../engine/engine.ts';
import type { Behaviour } from './behaviour.ts';
import { EngineError, remedyOf } from './failure.ts';
import { messageOf } from './http.ts';
import { createPace, type Pace } from './pace.ts';
import type { ContributorPorts } from './ports.ts';

/** Whatever the engine throws, its methods reject with EngineError. */
export interface Device {
  readonly trainer: Trainer;
  readonly compressor: Compressor;
  /** Of a micro-batch; the first, which warms the device up, is not counted. */
  readonly microBatch: Pace;
  /** Of a local step. */
  readonly localSteps: Pace;
  /** Of a compression, with the local step of the last pages where it has to take one. */
  readonly compression: Pace;
  /** Adds a micro-batch to the gradient. @returns its loss and the time it took */
  accumulate(batch: Batch): Promise<{ readonly loss: LossSum; readonly busyMs: number }>;
  /** A local step with what was accumulated; only where the scheme has them. */
  localStep(window: number): Promise<{ readonly busyMs: number }>;
  /** The body of a contribution from what was accumulated. */
  compress(window: number): Promise<{ readonly body: Uint8Array<ArrayBuffer>; readonly busyMs: number }>;
  /** Forgets a window's work, if there was any: the parameters are those that it began with. */
  discard(): Promise<void>;
  dispose(): Promise<void>;
}

export interface DeviceOptions {
  readonly config: ModelConfig;
  readonly pageSequences: number;
  readonly scheme: Scheme;
  readonly replaceTrainer: Behaviour['replaceTrainer'];
}

/** Compiles. @throws EngineError, or an error with a `remedy` when the device cannot train this model at all */
export async function createDevice(
  { createTrainer, now }: Pick<ContributorPorts, 'createTrainer' | 'now'>,
  { config, pageSequences, scheme, replaceTrainer = (trainer) => trainer }: DeviceOptions,
): Promise<Device> {
  const trainer = guardTrainer(
    replaceTrainer(await guard(() => createTrainer({ config, scheme: scheme.name, pageSequences }))),
  );
  // A lost device may refuse even this; what it held is gone either way.
  const dispose = (): Promise<void> => trainer.dispose().catch(() => undefined);
  if (pageSequences % trainer.sequences !== 0) {
    await dispose();
    throw new RangeError(`a page of ${pageSequences} sequences is not whole micro-batches of ${trainer.sequences}`);
  }
  const compressor = guardCompressor(
    await trainer.createCompressor(scheme).catch(async (error: unknown) => {
      await dispose();
      throw error;
    }),
  );
  const microBatch = createPace();
  const localSteps = createPace();
  const compression = createPace();
  let warm = false;
  let accumulated = false;

  return {
    trainer,
    compressor,
    microBatch,
    localSteps,
    compression,
    async accumulate(batch) {
      const started = now();
      accumulated = true;
      const loss = await trainer.accumulate(batch);
      const busyMs = now() - started;
      if (warm) microBatch.record(busyMs);
      warm = true;
      return { loss, busyMs };
    },
    async compress(window) {
      const started = now();
      const body = await compressor.compress(window);
      accumulated = false;
      const busyMs = now() - started;
      compression.record(busyMs);
      return { body, busyMs };
    },
    async localStep(window) {
      const started = now();
      await compressor.localStep(window);
      const busyMs = now() - started;
      localSteps.record(busyMs);
      return { busyMs };
    },
    async discard() {
      if (accumulated) await compressor.discard();
      accumulated = false;
    },
    dispose,
  };
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw remedyOf(cause) === undefined ? new EngineError(messageOf(cause), { cause }) : cause;
  }
}

function guardTrainer(trainer: Trainer): Trainer {
  return {
    report: trainer.report,
    sequences: trainer.sequences,
    length: trainer.length,
    setParameters: (parameters) => guard(() => trainer.setParameters(parameters)),
    readParameters: () => guard(() => trainer.readParameters()),
    applyStep: (step) => guard(() => trainer.applyStep(step)),
    loss: (batch) => guard(() => trainer.loss(batch)),
    accumulate: (batch) => guard(() => trainer.accumulate(batch)),
    takeGradient: () => guard(() => trainer.takeGradient()),
    discardGradient: () => guard(() => trainer.discardGradient()),
    createCompressor: (scheme) => guard(() => trainer.createCompressor(scheme)),
    dispose: () => guard(() => trainer.dispose()),
  };
}

/** A state that does not fit stays a RangeError: that is no failure of the engine. */
function guardCompressor(compressor: Compressor): Compressor {
  return {
    stateBytes: compressor.stateBytes,
    localStep: (window) => guard(() => compressor.localStep(window)),
    compress: (window) => guard(() => compressor.compress(window)),
    discard: () => guard(() => compressor.discard()),
    undo: () => guard(() => compressor.undo()),
    saveState: () => guard(() => compressor.saveState()),
    async loadState(bytes) {
      try {
        await compressor.loadState(bytes);
      } catch (cause) {
        throw cause instanceof RangeError ? cause : new EngineError(messageOf(cause), { cause });
      }
    },
  };
}
