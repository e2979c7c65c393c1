/**
 * An engine on onnxruntime-web's WebGPU provider, for a device that our own kernels do not run on, and to compare them
 * with: parameters and gradient accumulators stay on the device that the runtime uses, and only a batch goes there and a
 * loss comes back. Worker only.
 */
import * as ort from 'onnxruntime-web/webgpu';
import mjsUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import mjsIntegrity from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?integrity';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasmIntegrity from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?integrity';
import type { Batch } from '../core/data/batch.ts';
import { parameterLayout, type ParameterSpec } from '../core/model/layout.ts';
import { prepareRuntime, type RuntimeFiles } from './checked-runtime.ts';
import type { BackendReport, EngineOptions, Evaluator, LossSum, Trainer } from './engine.ts';
import { batchArrays } from './feeds.ts';
import type { GpuContext } from './gpu/context.ts';
import { readFloats } from './gpu/read-back.ts';
import { forwardGraph, gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from './graph/llama.ts';
import { writeOnnx } from './graph/onnx.ts';
import { createHostCompressor } from './host-compressor.ts';
import { inTurn } from './in-turn.ts';
import { createApplyStep } from './gpu/kernels/apply-step.ts';

const FILES: RuntimeFiles = {
  mjs: { url: mjsUrl, integrity: mjsIntegrity },
  wasm: { url: wasmUrl, integrity: wasmIntegrity },
};

export function createOrtWebGpuEvaluator(
  context: GpuContext,
  options: EngineOptions,
  report: BackendReport,
): Promise<Evaluator> {
  return createEngine(context, options, report, forwardGraph);
}

export function createOrtWebGpuTrainer(
  context: GpuContext,
  options: EngineOptions,
  report: BackendReport,
): Promise<Trainer> {
  return createEngine(context, options, report, trainingGraph);
}

interface ResidentTensor {
  readonly spec: ParameterSpec;
  readonly size: number;
  readonly buffer: GPUBuffer;
  readonly tensor: ort.Tensor;
}

async function createEngine(
  context: GpuContext,
  options: EngineOptions,
  report: BackendReport,
  graph: typeof trainingGraph,
): Promise<Trainer> {
  const { config, sequences } = options;
  const length = options.length ?? config.contextLength;
  const training = graph === trainingGraph;
  const { device, buffers } = context;
  await prepareRuntime(ort.env, FILES);
  // The provider computes on the device; threads of its host code would only idle.
  ort.env.wasm.numThreads = 1;
  const layout = parameterLayout(config);
  const session = await ort.InferenceSession.create(writeOnnx(graph({ config, sequences, length })), {
    // Its own device would be another than that of our buffers: `ort.env.webgpu.device` is not looked at.
    executionProviders: [{ name: 'webgpu', device }],
    // A node without a kernel on the device would go to the processor, there and back each step, without a word.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  const rows = sequences * length;
  const own: GPUBuffer[] = [];

  const resident = (): ResidentTensor[] =>
    layout.parameters.map((spec) => {
      const buffer = buffers.make(
        spec.size * Float32Array.BYTES_PER_ELEMENT,
        GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      );
      own.push(buffer);
      return {
        spec,
        size: spec.size,
        buffer,
        tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: spec.shape }),
      };
    });
  const named = (
    tensors: readonly ResidentTensor[],
    nameOf: (parameter: string) => string,
  ): Record<string, ort.Tensor> => Object.fromEntries(tensors.map(({ spec, tensor }) => [nameOf(spec.name), tensor]));

  const parameters = resident();
  const parameterFeeds = named(parameters, (name) => name);
  // Two accumulators in turn: an operator must not write what another still reads.
  const accumulators = (training ? [0, 1] : []).map(() => {
    const tensors = resident();
    return { tensors, inputs: named(tensors, gradientInput), outputs: named(tensors, gradientOutput) };
  });
  const applyStep = createApplyStep(
    device,
    buffers,
    parameters.map(({ spec, buffer }) => ({ buffer, offset: spec.offset, size: spec.size })),
  );
  let current = 0;
  let accumulated = 0;
  let disposed = false;

  function discard(): void {
    const encoder = device.createCommandEncoder();
    for (const { buffer } of accumulators[current]!.tensors) encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
    accumulated = 0;
  }

  async function usable<T>(work: () => T | Promise<T>): Promise<T> {
    if (disposed) throw new Error('the engine was disposed');
    return context.guard(work);
  }

  async function run(batch: Batch): Promise<LossSum> {
    const { tokens, targets, counts, predicted } = batchArrays(batch, {
      sequences,
      length,
      vocabSize: config.vocabSize,
    });
    const from = accumulators[current];
    const to = accumulators[1 - current];
    const results = await session.run(
      {
        ...parameterFeeds,
        ...from?.inputs,
        [INPUT.tokens]: new ort.Tensor('int64', tokens, [rows, 1]),
        [INPUT.targets]: new ort.Tensor('int32', targets, [rows, 1]),
        [INPUT.counts]: new ort.Tensor('float32', counts, [rows, 1]),
      },
      { [LOSS]: null, ...to?.outputs },
    );
    if (to) {
      current = 1 - current;
      accumulated += predicted;
    }
    return { sum: (results[LOSS]!.data as Float32Array)[0]!, count: predicted };
  }

  const trainer: Trainer = {
    report,
    sequences,
    length,
    setParameters: (values) =>
      usable(() => {
        if (values.length !== layout.total) {
          throw new RangeError(`${values.length} parameters given, the model has ${layout.total}`);
        }
        for (const { spec, buffer } of parameters) {
          device.queue.writeBuffer(buffer, 0, new Float32Array(values.subarray(spec.offset, spec.offset + spec.size)));
        }
      }),
    readParameters: () => usable(() => readFloats(context, parameters)),
    applyStep: (step) =>
      usable(() => {
        if (step.total !== layout.total) {
          throw new RangeError(`step of ${step.total} parameters applied to ${layout.total}`);
        }
        applyStep(step);
      }),
    loss: (batch) =>
      usable(() => {
        if (training) throw new Error('a trainer accumulates; make an evaluator for the loss alone');
        return run(batch);
      }),
    accumulate: inTurn((batch) => usable(() => run(batch))),
    takeGradient: () =>
      usable(async () => {
        if (accumulated === 0) throw new Error('no gradient was accumulated');
        const { tensors } = accumulators[current]!;
        const gradient = await readFloats(context, tensors);
        for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! / accumulated;
        discard();
        return gradient;
      }),
    discardGradient: () => usable(discard),
    createCompressor(scheme) {
      return usable(() => createHostCompressor(scheme, { ...trainer, hasGradient: () => accumulated > 0 }));
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      for (const buffer of own) buffers.free(buffer);
      await session.release();
    },
  };
  return trainer;
}
