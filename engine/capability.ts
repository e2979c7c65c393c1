/** Which device a tab trains on, and why, in sentences a person can read. Nothing is compiled here. */
import { simd, threads } from 'wasm-feature-detect';
import type { BackendReport } from './engine.ts';

export type WebBackend = 'webgpu' | 'wasm';

/** There is nothing to train on; `remedy` says what a person can do. */
export class NoBackendError extends Error {
  override readonly name = 'NoBackendError';
  readonly remedy = 'Use a current Chrome, Edge, Firefox or Safari. You can watch the run meanwhile.';
}

/** More threads than this gain nothing on models that a tab trains, and starve the rest of the machine. */
const MAX_WASM_THREADS = 8;

/** Names under which software rasterisers go. */
const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|software|basic render|microsoft basic/i;

export interface Adapter {
  readonly adapter: GPUAdapter;
  readonly name: string;
  readonly software: boolean;
}

export interface WasmFeatures {
  readonly threads: number;
}

/** The machine's preferred WebGPU adapter, or why there is none. */
export async function findAdapter(): Promise<Adapter | string> {
  // Typed as always there, which it is not: insecure contexts and older browsers have none.
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (!gpu) return 'This browser has no WebGPU (or the page is not served over https).';
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return 'The browser has WebGPU but no graphics adapter to offer; its hardware acceleration may be off.';
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(' ') || 'unnamed adapter';
  // On the adapter in older browsers, in its info in newer ones.
  const fallback = [adapter, adapter.info].some((info) => (info as { isFallbackAdapter?: boolean }).isFallbackAdapter);
  return { adapter, name, software: fallback || SOFTWARE_ADAPTER.test(name) };
}

/** What WASM can do here, or why it cannot run. */
export async function findWasm(): Promise<WasmFeatures | string> {
  if (!(await simd())) return 'This browser’s WebAssembly has no SIMD.';
  const threaded = globalThis.crossOriginIsolated && (await threads());
  return {
    threads: threaded ? Math.max(1, Math.min(MAX_WASM_THREADS, navigator.hardwareConcurrency)) : 1,
  };
}

/**
 * Chooses WebGPU on a real GPU, else WASM.
 *
 * @param force takes this backend whatever speaks against it
 * @throws NoBackendError when nothing is left, or the forced one is not there
 */
export async function chooseBackend({ force }: { force?: WebBackend } = {}): Promise<BackendReport> {
  const reasons: string[] = [];
  if (force !== undefined) reasons.push(`${force === 'webgpu' ? 'WebGPU' : 'WASM'} was asked for in the address.`);
  if (force !== 'wasm') {
    const found = await findAdapter();
    if (typeof found === 'string') {
      reasons.push(found);
      if (force === 'webgpu') throw new NoBackendError(found);
    } else if (found.software && force !== 'webgpu') {
      reasons.push(`The adapter (${found.name}) only emulates a GPU in software, which is slower than WASM.`);
    } else {
      reasons.push(
        found.software
          ? `The adapter (${found.name}) only emulates a GPU in software: expect it to be slow.`
          : `A GPU is there (${found.name}).`,
      );
      return { backend: 'webgpu', device: found.name, software: found.software, reasons };
    }
  }
  const wasm = await findWasm();
  if (typeof wasm === 'string') throw new NoBackendError([...reasons, wasm].join(' '));
  if (wasm.threads === 1 && !globalThis.crossOriginIsolated) {
    reasons.push('The page is not cross-origin isolated, so WASM runs on one thread.');
  }
  const device = `WASM, ${wasm.threads} ${wasm.threads === 1 ? 'thread' : 'threads'}`;
  return { backend: 'wasm', device, software: false, reasons };
}
