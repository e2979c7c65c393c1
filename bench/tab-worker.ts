/** The worker of the benchmark's page. */
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { absolute } from '../engine/address.ts';
import { runJob, type Job } from './job.ts';

self.onmessage = ({ data }: MessageEvent<Job>) => {
  void runJob(data, { onnxruntime: { mjs: absolute(mjs), wasm: absolute(wasm) } }).then((result) =>
    postMessage(result),
  );
};
