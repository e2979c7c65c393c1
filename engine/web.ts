/**
 * Engines in a tab: our kernels on WebGPU, or onnxruntime-web's WASM. Runs in a dedicated worker. onnxruntime's builds for
 * WASM and for WebGPU are large and separate, so each is loaded when it is chosen.
 */
import type { ModelConfig } from '../core/model/config.ts';
import type { SchemeParameters } from '../core/protocol/manifest.ts';
import type { BackendReport, Evaluator, Trainer } from './engine.ts';
import {
  createGpuEvaluator,
  createGpuTrainer,
  planTraining,
  type GpuEngineOptions,
  type Precision,
} from './gpu/engine.ts';
import { bytesInWords, describeFit, fitTraining, memoryBudget, requireHostMemory, type Fit } from './gpu/memory.ts';
import { choosePrecision } from './gpu/precision.ts';
import { tuneGemms } from './gpu/tune.ts';
import { createHostEvaluator, createHostTrainer } from './host-engine.ts';
import { wasmRuntime } from './wasm-runtime.ts';
import { sharedContext } from './web-device.ts';

export { chooseBackend, type WebBackend } from './capability.ts';

export interface WebEngineOptions extends GpuEngineOptions {
  /** As `chooseBackend` gave it. */
  readonly backend: BackendReport;
  /** Whose kernels run on a GPU; by default ours. */
  readonly engine?: 'own' | 'onnxruntime';
}

/**
 * Our kernels, or onnxruntime's where one of ours does not compile: that is a fault of ours or of the driver, and no
 * reason not to train.
 */
async function onGpu<T>(own: () => Promise<T>, fallback: (reason: string) => Promise<T>): Promise<T> {
  try {
    return await own();
  } catch (error) {
    if (!(error instanceof GPUPipelineError)) throw error;
    return fallback(`One of our kernels does not compile here (${error.message}), so onnxruntime’s run instead.`);
  }
}

function withReasons(report: BackendReport, ...reasons: string[]): BackendReport {
  return { ...report, reasons: [...report.reasons, ...reasons] };
}

/** @throws NoBackendError, or the runtime's Error when the graph cannot be compiled */
export async function createWebTrainer(options: WebEngineOptions): Promise<Trainer> {
  const { backend, engine = 'own' } = options;
  if (backend.backend !== 'webgpu') return createHostTrainer(await wasmRuntime(backend), options);
  const context = await sharedContext();
  const fallback = async (report: BackendReport): Promise<Trainer> => {
    const { createOrtWebGpuTrainer } = await import('./ort-webgpu-engine.ts');
    return createOrtWebGpuTrainer(context, options, report);
  };
  if (engine === 'onnxruntime') return fallback(backend);
  return onGpu(
    () => createGpuTrainer(context, options, backend),
    (reason) => fallback(withReasons(backend, reason)),
  );
}

/** @throws as `createWebTrainer` */
export async function createWebEvaluator(options: WebEngineOptions): Promise<Evaluator> {
  const { backend, engine = 'own' } = options;
  if (backend.backend !== 'webgpu') return createHostEvaluator(await wasmRuntime(backend), options);
  const context = await sharedContext();
  const fallback = async (report: BackendReport): Promise<Evaluator> => {
    const { createOrtWebGpuEvaluator } = await import('./ort-webgpu-engine.ts');
    return createOrtWebGpuEvaluator(context, options, report);
  };
  if (engine === 'onnxruntime') return fallback(backend);
  return onGpu(
    () => createGpuEvaluator(context, options, backend),
    (reason) => fallback(withReasons(backend, reason)),
  );
}

export interface FittingOptions {
  readonly config: ModelConfig;
  /** Which state the compressor will hold beside the model. */
  readonly scheme: SchemeParameters['name'];
  /** Sequences of a page: a micro-batch is a whole part of one. */
  readonly pageSequences: number;
  /** Sequences of a micro-batch on a processor. */
  readonly hostSequences: number;
  /** As `chooseBackend` gave it. */
  readonly backend: BackendReport;
  /** GPU memory that the user allows, in MiB. */
  readonly memoryMib?: number | undefined;
}

/**
 * A trainer of the shape and precision that suit the device: what it will take is known, and told, before anything is
 * allocated.
 *
 * @throws DoesNotFitError, or as `createWebTrainer`
 */
export async function createFittingTrainer(options: FittingOptions): Promise<Trainer> {
  const { config, scheme, pageSequences, hostSequences, backend, memoryMib } = options;
  if (backend.backend !== 'webgpu') {
    requireHostMemory(config);
    return createWebTrainer({ config, sequences: hostSequences, backend });
  }
  const context = await sharedContext();
  const { limits } = context.device;
  const budget = memoryBudget({ limits, deviceMemoryGib: deviceMemoryGib(), chosenMib: memoryMib });
  const fit = (precision: Precision): Fit =>
    fitTraining({
      config,
      scheme,
      pageSequences,
      precision,
      budget,
      software: backend.software,
      workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    });
  const full = fit('fp32');
  const { precision, reason } = await choosePrecision(context, { config, ...full.chosen }, backend);
  const { chosen, memory, table } = precision === 'fp32' ? full : fit(precision);
  console.info(`${budget.reason}\n${describeFit(table)}`);
  const report = withReasons(
    backend,
    reason,
    `Micro-batches of ${chosen.sequences} x ${config.contextLength} tokens take ${bytesInWords(memory.total)} of GPU memory${chosen.recompute ? ', with activations computed twice to save more' : ''}.`,
  );
  const plan = planTraining({ config, ...chosen }, limits.maxComputeWorkgroupStorageSize);
  // In software the times say nothing, and take long.
  const tuned = backend.software ? {} : { gemmTiles: await tuneGemms(context, plan, precision === 'fp16') };
  return createWebTrainer({ config, ...chosen, ...tuned, backend: report });
}

/** What the browser says the machine has, where it says it. */
function deviceMemoryGib(): number | undefined {
  return (navigator as { deviceMemory?: number }).deviceMemory;
}
