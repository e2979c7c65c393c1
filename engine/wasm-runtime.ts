/** onnxruntime-web's WASM build, which is loaded when it is first asked for. */
import { findWasm, NoBackendError } from './capability.ts';
import { prepareRuntime } from './checked-runtime.ts';
import type { BackendReport } from './engine.ts';
import type { Runtime } from './host-engine.ts';

/** @throws NoBackendError where the browser cannot run it, or as `prepareRuntime` */
export async function wasmRuntime(report: BackendReport, maxThreads = Infinity): Promise<Runtime> {
  const features = await findWasm();
  if (typeof features === 'string') throw new NoBackendError(features);
  const [ort, files] = await Promise.all([import('onnxruntime-web/wasm'), import('./wasm-files.ts')]);
  await prepareRuntime(ort.env, files);
  ort.env.wasm.numThreads = Math.min(features.threads, maxThreads);
  return {
    Tensor: ort.Tensor,
    createSession: (model) => ort.InferenceSession.create(model, { executionProviders: ['wasm'] }),
    report,
  };
}
