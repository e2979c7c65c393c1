/**
 * An engine on onnxruntime-web's WebGPU provider: parameters and gradient accumulators stay on the device that the
 * runtime uses, and only a batch goes there and a loss comes back. Worker only.
 */
import * as ort from 'onnxruntime-web/webgpu';
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import type { Batch } from '../core/data/batch.ts';
import { parameterLayout, type ParameterSpec } from '../core/model/layout.ts';
import { findAdapter, NoBackendError } from './capability.ts';
import type { BackendReport, EngineOptions, Evaluator, LossSum, Trainer } from './engine.ts';
import { batchArrays } from './feeds.ts';
import { createGpuBuffers, type GpuBuffers } from './gpu-buffers.ts';
import { forwardGraph, gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from './graph/llama.ts';
import { writeOnnx } from './graph/onnx.ts';
import { createHostCompressor } from './host-compressor.ts';
import { createApplySignStep } from './kernels/apply-sign-step.ts';
import { absolute } from './web.ts';

/** The GPU was lost (driver reset, sleep, memory), with all that was on it. A new engine gets a new device. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

interface Device {
  readonly gpu: GPUDevice;
  readonly buffers: GpuBuffers;
  lost?: DeviceLostError;
}

/** How much later than the failure that it causes the browser may tell of a loss. */
const LOSS_NOTICE_MS = 200;

let shared: Promise<Device> | undefined;

function assertPresent({ lost }: Device): void {
  if (lost) throw lost;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** GPU buffers of ours that are alive in this worker: zero when no engine is. */
export async function liveGpuBuffers(): Promise<number> {
  return (await shared)?.buffers.live ?? 0;
}

async function requestDevice(): Promise<Device> {
  const found = await findAdapter();
  if (typeof found === 'string') throw new NoBackendError(found);
  const { adapter } = found;
  const {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize,
  } = adapter.limits;
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = adapter.limits;
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
  const gpu = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxBufferSize,
      maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX,
    },
  });
  ort.env.wasm.wasmPaths = { wasm: absolute(wasm), mjs: absolute(mjs) };
  // The provider computes on the device; threads of its host code would only idle.
  ort.env.wasm.numThreads = 1;
  const device: Device = { gpu, buffers: createGpuBuffers(gpu) };
  void gpu.lost.then(({ message, reason }) => {
    device.lost = new DeviceLostError(`The GPU was lost (${reason === 'unknown' ? message : reason}).`);
  });
  return device;
}

/** One device for all engines, which then share compiled shaders; another one once it is lost. */
async function sharedDevice(): Promise<Device> {
  if ((await shared)?.lost) shared = undefined;
  shared ??= requestDevice();
  return shared.catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
}

export function createWebGpuEvaluator(options: EngineOptions, report: BackendReport): Promise<Evaluator> {
  return createEngine(options, report, forwardGraph);
}

export function createWebGpuTrainer(options: EngineOptions, report: BackendReport): Promise<Trainer> {
  return createEngine(options, report, trainingGraph);
}

interface ResidentTensor {
  readonly spec: ParameterSpec;
  readonly buffer: GPUBuffer;
  readonly tensor: ort.Tensor;
}

async function createEngine(
  options: EngineOptions,
  report: BackendReport,
  graph: typeof trainingGraph,
): Promise<Trainer> {
  const { config, sequences } = options;
  const length = options.length ?? config.contextLength;
  const training = graph === trainingGraph;
  const device = await sharedDevice();
  const { gpu, buffers } = device;
  const layout = parameterLayout(config);
  const session = await ort.InferenceSession.create(writeOnnx(graph({ config, sequences, length })), {
    // Its own device would be another than that of our buffers: `ort.env.webgpu.device` is not looked at.
    executionProviders: [{ name: 'webgpu', device: gpu }],
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
      return { spec, buffer, tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: spec.shape }) };
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
  const applySignStep = createApplySignStep(
    gpu,
    buffers,
    parameters.map(({ spec, buffer }) => ({ buffer, offset: spec.offset, size: spec.size })),
  );
  let current = 0;
  let accumulated = 0;
  let disposed = false;

  /** Does the work, unless the engine was disposed; what fails on a lost device is reported as its loss. */
  async function usable<T>(work: () => T | Promise<T>): Promise<T> {
    if (disposed) throw new Error('the engine was disposed');
    assertPresent(device);
    let result: T;
    try {
      result = await work();
    } catch (error) {
      if (!(error instanceof RangeError)) await Promise.race([gpu.lost, sleep(LOSS_NOTICE_MS)]);
      assertPresent(device);
      throw error;
    }
    // A lost device also answers with zeros.
    assertPresent(device);
    return result;
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

  /** The tensors' values as one flat vector. */
  async function readBack(tensors: readonly ResidentTensor[]): Promise<Float32Array<ArrayBuffer>> {
    const staging = buffers.make(
      layout.total * Float32Array.BYTES_PER_ELEMENT,
      GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    );
    try {
      const encoder = gpu.createCommandEncoder();
      for (const { spec, buffer } of tensors) {
        encoder.copyBufferToBuffer(buffer, 0, staging, spec.offset * 4, spec.size * 4);
      }
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      return new Float32Array(staging.getMappedRange(0, layout.total * 4).slice(0));
    } finally {
      buffers.free(staging);
    }
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
          gpu.queue.writeBuffer(buffer, 0, new Float32Array(values.subarray(spec.offset, spec.offset + spec.size)));
        }
      }),
    readParameters: () => usable(() => readBack(parameters)),
    applyStep: (step) =>
      usable(() => {
        if (step.total !== layout.total) {
          throw new RangeError(`step of ${step.total} parameters applied to ${layout.total}`);
        }
        applySignStep(step);
      }),
    loss: (batch) =>
      usable(() => {
        if (training) throw new Error('a trainer accumulates; make an evaluator for the loss alone');
        return run(batch);
      }),
    accumulate: (batch) => usable(() => run(batch)),
    takeGradient: () =>
      usable(async () => {
        if (accumulated === 0) throw new Error('no gradient was accumulated');
        const { tensors } = accumulators[current]!;
        const gradient = await readBack(tensors);
        for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! / accumulated;
        const encoder = gpu.createCommandEncoder();
        for (const { buffer } of tensors) encoder.clearBuffer(buffer);
        gpu.queue.submit([encoder.finish()]);
        accumulated = 0;
        return gradient;
      }),
    createCompressor(scheme) {
      return usable(() => createHostCompressor(scheme, trainer));
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
