/** onnxruntime-web's WASM build, which is loaded when it is first asked for. */
import { absolute } from './address.ts';
import { findWasm, NoBackendError } from './capability.ts';
import type { BackendReport } from './engine.ts';
import type { Runtime } from './host-engine.ts';

/** @throws NoBackendError where the browser cannot run it */
export async function wasmRuntime(report: BackendReport, maxThreads = Infinity): Promise<Runtime> {
  const features = await findWasm();
  if (typeof features === 'string') throw new NoBackendError(features);
  const [ort, { default: wasm }, { default: mjs }] = await Promise.all([
    import('onnxruntime-web/wasm'),
    import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url'),
    import('onnxruntime-web/ort-wasm-simd-threaded.mjs?url'),
  ]);
  ort.env.wasm.wasmPaths = { wasm: absolute(wasm), mjs: absolute(mjs) };
  ort.env.wasm.numThreads = Math.min(features.threads, maxThreads);
  return {
    Tensor: ort.Tensor,
    createSession: (model) => ort.InferenceSession.create(model, { executionProviders: ['wasm'] }),
    report,
  };
}
