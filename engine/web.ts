/**
 * Engines in a tab: our kernels on WebGPU, or onnxruntime-web's WASM. Runs in a dedicated worker. onnxruntime's builds for
 * WASM and for WebGPU are large and separate, so each is loaded when it is chosen.
 */
import { absolute } from './address.ts';
import { findWasm, NoBackendError } from './capability.ts';
import type { BackendReport, EngineOptions, Evaluator, Trainer } from './engine.ts';
import { createGpuEvaluator, createGpuTrainer } from './gpu/engine.ts';
import { createHostEvaluator, createHostTrainer, type Runtime } from './host-engine.ts';
import { sharedContext } from './web-device.ts';

export { chooseBackend, NoBackendError, type WebBackend } from './capability.ts';

export interface WebEngineOptions extends EngineOptions {
  /** As `chooseBackend` gave it. */
  readonly backend: BackendReport;
  /** Whose kernels run on a GPU; by default ours. */
  readonly engine?: 'own' | 'onnxruntime';
}

async function wasmRuntime(report: BackendReport): Promise<Runtime> {
  const features = await findWasm();
  if (typeof features === 'string') throw new NoBackendError(features);
  const [ort, { default: wasm }, { default: mjs }] = await Promise.all([
    import('onnxruntime-web/wasm'),
    import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url'),
    import('onnxruntime-web/ort-wasm-simd-threaded.mjs?url'),
  ]);
  ort.env.wasm.wasmPaths = { wasm: absolute(wasm), mjs: absolute(mjs) };
  ort.env.wasm.numThreads = features.threads;
  return {
    Tensor: ort.Tensor,
    createSession: (model) => ort.InferenceSession.create(model, { executionProviders: ['wasm'] }),
    report,
  };
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
    return fallback(`One of our kernels does not compile here (${error.message}), so onnxruntime's run instead.`);
  }
}

function withReason(report: BackendReport, reason: string): BackendReport {
  return { ...report, reasons: [...report.reasons, reason] };
}

/** @throws NoBackendError, or the runtime's Error when the graph cannot be compiled */
export async function createWebTrainer(options: WebEngineOptions): Promise<Trainer> {
  const { backend, engine } = options;
  if (backend.backend !== 'webgpu') return createHostTrainer(await wasmRuntime(backend), options);
  const context = await sharedContext();
  const fallback = async (report: BackendReport): Promise<Trainer> => {
    const { createOrtWebGpuTrainer } = await import('./ort-webgpu-engine.ts');
    return createOrtWebGpuTrainer(context, options, report);
  };
  if (engine === 'onnxruntime') return fallback(backend);
  return onGpu(
    () => createGpuTrainer(context, options, backend),
    (reason) => fallback(withReason(backend, reason)),
  );
}

/** @throws as `createWebTrainer` */
export async function createWebEvaluator(options: WebEngineOptions): Promise<Evaluator> {
  const { backend, engine } = options;
  if (backend.backend !== 'webgpu') return createHostEvaluator(await wasmRuntime(backend), options);
  const context = await sharedContext();
  const fallback = async (report: BackendReport): Promise<Evaluator> => {
    const { createOrtWebGpuEvaluator } = await import('./ort-webgpu-engine.ts');
    return createOrtWebGpuEvaluator(context, options, report);
  };
  if (engine === 'onnxruntime') return fallback(backend);
  return onGpu(
    () => createGpuEvaluator(context, options, backend),
    (reason) => fallback(withReason(backend, reason)),
  );
}
