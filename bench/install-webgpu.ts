/** Makes a Node process look like a worker with a GPU, by Dawn's binding. */
import { join } from 'node:path';
import type { Surroundings } from './contender.ts';

/** Dawn's package, which is installed for benchmarks alone, or lies beside their bundle. */
const DAWN = 'webgpu';

interface Dawn {
  readonly create: (options: readonly string[]) => GPU;
  /** GPUBufferUsage and its kin, which a browser has as globals. */
  readonly globals: object;
}

type Write = (this: unknown, ...args: unknown[]) => void;

/** @param options of Dawn, such as `backend=null` */
export async function installWebGpu(options: readonly string[] = []): Promise<void> {
  const { create, globals } = (await import(/* @vite-ignore */ DAWN)) as Dawn;
  Object.assign(globalThis, globals);
  const navigator = { gpu: create(options), userAgent: 'Node', hardwareConcurrency: 1 };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  // onnxruntime writes out of its WebAssembly memory, which is shared; this binding takes only memory that is not.
  const methods = GPUQueue.prototype as unknown as Record<string, Write>;
  const write = methods['writeBuffer']!;
  methods['writeBuffer'] = function (buffer, at, data, ...range) {
    const shared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    const plain = shared ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() : data;
    Reflect.apply(write, this, [buffer, at, plain, ...range]);
  };
}

/** @param folder that has onnxruntime-web's files */
export function onnxruntimeIn(folder: string): Surroundings['onnxruntime'] {
  const file = (extension: string): string => join(folder, `ort-wasm-simd-threaded.asyncify.${extension}`);
  return { wasm: file('wasm'), mjs: file('mjs') };
}
