/** Whether half precision may be used on a device: only if a step in it agrees with one in fp32, and is faster. */
import type { Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { initialParameters } from '../../core/model/initialise.ts';
import { createRandom, seedFrom } from '../../core/numerics/prng.ts';
import type { BackendReport, Trainer } from '../engine.ts';
import { parameterGroups } from '../graph/parameter-groups.ts';
import type { GpuContext } from './context.ts';
import { createGpuTrainer, type Precision } from './engine.ts';

/** Largest differences from fp32: of the loss, and of each weight's gradient in direction and in length. */
const LOSS_TOLERANCE = 2e-3;
const MIN_COSINE = 0.995;
const LENGTH_TOLERANCE = 0.03;
/** Kernels are the same in every layer, so the probe has two; and a vocabulary that is quickly drawn and compared. */
const PROBE_LAYERS = 2;
const PROBE_VOCABULARY = 4096;
const TIMED_STEPS = 3;

export interface PrecisionChoice {
  readonly precision: Precision;
  /** One sentence. */
  readonly reason: string;
}

export interface ProbeStep {
  /** Nats a token. */
  readonly loss: number;
  readonly gradient: Float32Array;
}

/** Why a step in half precision is not that of fp32, in words; undefined when it agrees. */
export function disagreement(config: ModelConfig, half: ProbeStep, full: ProbeStep): string | undefined {
  const lossError = Math.abs(half.loss / full.loss - 1);
  if (!(lossError <= LOSS_TOLERANCE)) return `its loss is off by ${(100 * lossError).toFixed(1)} %`;
  for (const { name, offset, size } of parameterGroups(config)) {
    let product = 0;
    let halfSquares = 0;
    let fullSquares = 0;
    for (let i = offset; i < offset + size; i++) {
      product += half.gradient[i]! * full.gradient[i]!;
      halfSquares += half.gradient[i]! ** 2;
      fullSquares += full.gradient[i]! ** 2;
    }
    const cosine = product / Math.sqrt(halfSquares * fullSquares);
    if (!(cosine >= MIN_COSINE)) return `the gradient of ${name} points elsewhere (cosine ${cosine.toFixed(4)})`;
    const length = Math.sqrt(halfSquares / fullSquares);
    if (!(Math.abs(length - 1) <= LENGTH_TOLERANCE)) {
      return `the gradient of ${name} is ${length.toFixed(2)} times as long`;
    }
  }
  return undefined;
}

/**
 * @param sequences of the batches that will be trained on
 * @returns fp16 only where a probe has shown that it is right and faster
 */
export async function choosePrecision(
  context: GpuContext,
  { config, sequences }: { readonly config: ModelConfig; readonly sequences: number },
  report: BackendReport,
): Promise<PrecisionChoice> {
  if (!context.device.features.has('shader-f16')) {
    return { precision: 'fp32', reason: 'The adapter has no half-precision floats, so everything is fp32.' };
  }
  const shallow = {
    ...config,
    numLayers: Math.min(PROBE_LAYERS, config.numLayers),
    vocabSize: Math.min(PROBE_VOCABULARY, config.vocabSize),
  };
  const batch = probeBatch(shallow, sequences);
  const probe = async (precision: Precision): Promise<ProbeStep & { readonly ms: number }> => {
    const trainer = await createGpuTrainer(context, { config: shallow, sequences, precision }, report);
    try {
      await trainer.setParameters(initialParameters(shallow, seedFrom('precision probe')));
      return { ...(await step(trainer, batch)), ms: await timeStep(trainer, batch) };
    } finally {
      await trainer.dispose();
    }
  };
  try {
    const full = await probe('fp32');
    const half = await probe('fp16');
    const differs = disagreement(shallow, half, full);
    if (differs !== undefined) {
      return { precision: 'fp32', reason: `Half precision was tried and refused: ${differs}.` };
    }
    const speed = (full.ms / half.ms).toFixed(2);
    return half.ms < full.ms
      ? { precision: 'fp16', reason: `Half precision agrees with fp32 here and is ${speed} times as fast.` }
      : { precision: 'fp32', reason: `Half precision is only ${speed} times as fast as fp32 here.` };
  } catch (error) {
    if (context.lost) throw error;
    return { precision: 'fp32', reason: `Half precision does not run here: ${String(error)}` };
  }
}

function probeBatch({ vocabSize, contextLength }: ModelConfig, sequences: number): Batch {
  const draw = createRandom(seedFrom('precision probe', sequences));
  const ids = (): Int32Array<ArrayBuffer> =>
    Int32Array.from({ length: sequences * contextLength }, () => draw.below(vocabSize));
  return { sequences, length: contextLength, tokens: ids(), targets: ids() };
}

async function step(trainer: Trainer, batch: Batch): Promise<ProbeStep> {
  const { sum, count } = await trainer.accumulate(batch);
  return { loss: sum / count, gradient: await trainer.takeGradient() };
}

/** The quickest of a few, in milliseconds. */
async function timeStep(trainer: Trainer, batch: Batch): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < TIMED_STEPS; i++) {
    const started = performance.now();
    await trainer.accumulate(batch);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
