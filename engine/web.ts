/**
 * Engines in a tab, on onnxruntime-web: WebGPU with everything resident on the device, or WASM. Runs in a dedicated
 * worker. The two runtimes are large and separate, so each is loaded when it is chosen.
 */
import { findWasm, NoBackendError } from './capability.ts';
import type { BackendReport, EngineOptions, Evaluator, Trainer } from './engine.ts';
import { createHostEvaluator, createHostTrainer, type Runtime } from './host-engine.ts';

export { chooseBackend, NoBackendError, type WebBackend } from './capability.ts';

export interface WebEngineOptions extends EngineOptions {
  /** As `chooseBackend` gave it. */
  readonly backend: BackendReport;
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

/** The runtime starts its own threads from these addresses, and a thread has another base. */
export function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href;
}

/** @throws NoBackendError, or the runtime's Error when the graph cannot be compiled */
export async function createWebTrainer(options: WebEngineOptions): Promise<Trainer> {
  if (options.backend.backend === 'webgpu') {
    const { createWebGpuTrainer } = await import('./webgpu-engine.ts');
    return createWebGpuTrainer(options, options.backend);
  }
  return createHostTrainer(await wasmRuntime(options.backend), options);
}

/** @throws as `createWebTrainer` */
export async function createWebEvaluator(options: WebEngineOptions): Promise<Evaluator> {
  if (options.backend.backend === 'webgpu') {
    const { createWebGpuEvaluator } = await import('./webgpu-engine.ts');
    return createWebGpuEvaluator(options, options.backend);
  }
  return createHostEvaluator(await wasmRuntime(options.backend), options);
}
