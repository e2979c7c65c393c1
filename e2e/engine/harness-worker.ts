/**
 * One engine in a worker, driven from outside, and what a test wants to see or break there. It looks at the platform's
 * own classes, so that the engine needs no hooks for tests and its bookkeeping is not believed but checked.
 */
import { expose } from 'comlink';
import type { Batch } from '../../core/data/batch.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { parameterLayout } from '../../core/model/layout.ts';
import type { SchemeParameters } from '../../core/protocol/manifest.ts';
import { createScheme } from '../../core/scheme/create-scheme.ts';
import type { OuterStep } from '../../core/scheme/scheme.ts';
import type { BackendReport, Compressor, LossSum, Trainer } from '../../engine/engine.ts';
import { planTraining } from '../../engine/gpu/engine.ts';
import type { Tile } from '../../engine/gpu/kernel.ts';
import { tuneGemms } from '../../engine/gpu/tune.ts';
import { sharedContext } from '../../engine/web-device.ts';
import {
  chooseBackend,
  createFittingTrainer,
  createWebEvaluator,
  createWebTrainer,
  type WebBackend,
  type FittingOptions,
  type WebEngineOptions,
} from '../../engine/web.ts';

const devices: GPUDevice[] = [];
const liveBuffers = new Set<GPUBuffer>();
let threads = 0;

function observe(): void {
  const { Worker: PlatformWorker } = globalThis;
  globalThis.Worker = class extends PlatformWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      threads++;
    }
  };
  // Unbound on purpose: they are called on the object that the replacement is called on.
  /* eslint-disable @typescript-eslint/unbound-method */
  const { requestDevice } = GPUAdapter.prototype;
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    return device;
  };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    liveBuffers.add(buffer);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    liveBuffers.delete(this);
    destroy.call(this);
  };
}

observe();

let engine: Trainer | undefined;
let compressor: Compressor | undefined;

function current(): Trainer {
  if (!engine) throw new Error('the test has made no engine');
  return engine;
}

const api = {
  chooseBackend: (force?: WebBackend): Promise<BackendReport> => chooseBackend(force === undefined ? {} : { force }),
  /** @param tiles as `tune` gives them: a map does not get here from the test's process */
  async createTrainer(
    backend: BackendReport,
    options: Omit<WebEngineOptions, 'backend'>,
    tiles?: [string, Tile][],
  ): Promise<void> {
    engine = await createWebTrainer({ ...options, ...(tiles ? { gemmTiles: new Map(tiles) } : {}), backend });
  },
  async createEvaluator(backend: BackendReport, options: Omit<WebEngineOptions, 'backend'>): Promise<void> {
    engine = (await createWebEvaluator({ ...options, backend })) as Trainer;
  },
  async createFittingTrainer(options: FittingOptions): Promise<BackendReport & { sequences: number }> {
    engine = await createFittingTrainer(options);
    return { ...engine.report, sequences: engine.sequences };
  },
  /** The tiles that a model's products are quickest with here, hardly measured: by `gemmKey`. */
  async tune(config: ModelConfig, sequences: number): Promise<[string, Tile][]> {
    const context = await sharedContext();
    const plan = planTraining({ config, sequences }, context.device.limits.maxComputeWorkgroupStorageSize);
    return [...(await tuneGemms(context, plan, false, { measuredFlops: 1, ignoredFlops: 15_000 }))];
  },
  /** Whole windows: training, compression, a step of what was sent. */
  async windows(batch: Batch, windows: number, scheme: SchemeParameters, config: ModelConfig): Promise<void> {
    const rules = createScheme(scheme, parameterLayout(config));
    compressor ??= await current().createCompressor(rules);
    for (let window = 0; window < windows; window++) {
      await current().accumulate(batch);
      if (rules.localSteps) await compressor.localStep(window);
      if (rules.localSteps) await current().accumulate(batch);
      const body = await compressor.compress(window);
      await current().applyStep(rules.outerStep([rules.decodeBody(body)], rules.learningRate(window)));
    }
  },
  async createCompressor(scheme: SchemeParameters, config: ModelConfig): Promise<void> {
    compressor = await current().createCompressor(createScheme(scheme, parameterLayout(config)));
  },
  localStep: (window: number): Promise<void> => compressor!.localStep(window),
  compress: (window: number): Promise<Uint8Array> => compressor!.compress(window),
  discard: (): Promise<void> => compressor!.discard(),
  setParameters: (parameters: Float32Array): Promise<void> => current().setParameters(parameters),
  readParameters: (): Promise<Float32Array> => current().readParameters(),
  applyStep: (step: OuterStep): Promise<void> => current().applyStep(step),
  loss: (batch: Batch): Promise<LossSum> => current().loss(batch),
  accumulate: (batch: Batch): Promise<LossSum> => current().accumulate(batch),
  takeGradient: (): Promise<Float32Array> => current().takeGradient(),
  discardGradient: (): Promise<void> => current().discardGradient(),
  dispose(): Promise<void> {
    compressor = undefined;
    return current().dispose();
  },
  /** Milliseconds of each of `steps` times accumulate, after one that is not counted. */
  async time(batch: Batch, steps: number): Promise<number[]> {
    const times: number[] = [];
    await current().accumulate(batch);
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      await current().accumulate(batch);
      times.push(performance.now() - start);
    }
    return times;
  },
  /** Buffers that the engine counts as its own, and all that exist, the runtime's own among them. */
  async liveGpuBuffers(): Promise<{ own: number; all: number }> {
    const { liveGpuBuffers } = await import('../../engine/web-device.ts');
    return { own: await liveGpuBuffers(), all: liveBuffers.size };
  },
  /** Workers that the runtime has started. */
  threads: (): number => threads,
  isolated: (): boolean => globalThis.crossOriginIsolated,
  /** As in a browser without WebGPU. */
  removeGpu(): void {
    Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
  },
  /** As a GPU does that others have filled. */
  fillMemory(): void {
    GPUDevice.prototype.popErrorScope = () => Promise.resolve(new GPUOutOfMemoryError('all of it is taken'));
  },
  /** As a driver does that one of our kernels is too much for. */
  refuseOneKernel(): void {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the object that the replacement is called on
    const { createComputePipelineAsync } = GPUDevice.prototype;
    GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
      // onnxruntime's go through here as well, under names of its own.
      return descriptor.label?.startsWith('rms-norm')
        ? Promise.reject(new GPUPipelineError('the driver gave up', { reason: 'internal' }))
        : createComputePipelineAsync.call(this, descriptor);
    };
  },
  /** As a driver reset does. */
  destroyDevices(): void {
    for (const device of devices) device.destroy();
  },
};

export type HarnessApi = typeof api;

expose(api);
