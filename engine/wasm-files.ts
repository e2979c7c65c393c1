/** onnxruntime-web's WASM build. */
import mjsUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import mjsIntegrity from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?integrity';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import wasmIntegrity from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?integrity';
import type { RuntimeFile } from './checked-runtime.ts';

export const mjs: RuntimeFile = { url: mjsUrl, integrity: mjsIntegrity };
export const wasm: RuntimeFile = { url: wasmUrl, integrity: wasmIntegrity };
