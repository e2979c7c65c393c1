/** The worker of the benchmark's page. */
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { absolute } from '../engine/address.ts';
import type { Surroundings } from './contender.ts';
import { runJob, type Job } from './job.ts';

const SURROUNDINGS: Surroundings = {
  onnxruntime: { mjs: absolute(mjs), wasm: absolute(wasm) },
  // Chromium tells it under `--enable-webgpu-developer-features`.
  driver: (info) => (info as { driver?: string }).driver || null,
};

self.onmessage = ({ data }: MessageEvent<Job>) => {
  void runJob(data, SURROUNDINGS).then((result) => postMessage(result));
};
