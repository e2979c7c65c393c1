/**
 * An engine of our own kernels: parameters, gradients and everything between stay on the device; a batch goes there and a
 * loss comes back. Needs a WebGPU device and nothing else, so it runs in a tab's worker and on a server alike.
 */
import type { Batch } from '../../core/data/batch.ts';
import type { BackendReport, EngineOptions, Evaluator, LossSum, Trainer } from '../engine.ts';
import { batchArrays } from '../feeds.ts';
import { createGpuCompressor } from './compressor.ts';
import type { Value } from '../graph/ir.ts';
import { fusedForwardGraph, fusedTrainingGraph, gradientInput, gradientOutput, INPUT, LOSS } from '../graph/llama.ts';
import { parameterGroups, type ParameterGroup } from '../graph/parameter-groups.ts';
import { createApplyStep } from './kernels/apply-step.ts';
import type { GpuContext } from './context.ts';
import type { DeviceTensor } from './kernels/chunks/runs.ts';
import { createHalfCopies, type HalfCopies } from './half-copies.ts';
import type { GemmTiles } from './kernel.ts';
import { planGraph, type Plan, type PlanOptions } from './plan.ts';
import { createProgram, type Program } from './program.ts';
import { readFloats } from './read-back.ts';

/** fp16 between operators and in products, with fp32 parameters, sums and gradients; or fp32 throughout. */
export type Precision = 'fp32' | 'fp16';

export interface GpuEngineOptions extends EngineOptions {
  readonly precision?: Precision;
  /** Less memory for a third more work. */
  readonly recompute?: boolean;
  /** As `tuneGemms` measured them. */
  readonly gemmTiles?: GemmTiles;
  /** Whether the adapter is emulated by a processor. */
  readonly software?: boolean;
}

/** Lifts gradients of a summed loss, which start at 1 / vocabulary, out of the reach of fp16's subnormals. */
const FP16_LOSS_SCALE = 64;

type ModelPlan = EngineOptions & Pick<GpuEngineOptions, 'precision' | 'recompute' | 'gemmTiles' | 'software'>;

/** What a training step will run and hold; nothing is allocated. */
export function planTraining(options: ModelPlan, workgroupBytes: number): Plan {
  const { precision = 'fp32', recompute = false } = options;
  const graph = fusedTrainingGraph(shapeOf(options), {
    recompute,
    lossScale: precision === 'fp16' ? FP16_LOSS_SCALE : 1,
  });
  return planGraph(graph, planOptions(options, workgroupBytes));
}

/** What an evaluation will run and hold. */
function planEvaluation(options: ModelPlan, workgroupBytes: number): Plan {
  return planGraph(fusedForwardGraph(shapeOf(options)), planOptions(options, workgroupBytes));
}

function shapeOf({ config, sequences, length = config.contextLength }: EngineOptions) {
  return { config, sequences, length };
}

function planOptions(
  { config, precision, gemmTiles, software = false }: ModelPlan,
  workgroupBytes: number,
): PlanOptions {
  const groups = parameterGroups(config);
  const half = precision === 'fp16';
  return {
    donated: new Set(groups.map(({ name }) => gradientInput(name))),
    workgroupBytes,
    half,
    halfInputs: new Set(half ? groups.filter(isMatrix).map(({ name }) => name) : []),
    software,
    ...(gemmTiles ? { gemmTiles } : {}),
  };
}

function isMatrix({ shape }: ParameterGroup): boolean {
  return shape.length === 2;
}

/** Forward only. @throws GPUPipelineError when a kernel does not compile */
export async function createGpuEvaluator(
  context: GpuContext,
  options: GpuEngineOptions,
  report: BackendReport,
): Promise<Evaluator> {
  return allocateEngine(
    context,
    options,
    report,
    planEvaluation({ software: report.software, ...options }, workgroupBytesOf(context)),
  );
}

/** Forward and backward. @throws GPUPipelineError when a kernel does not compile */
export async function createGpuTrainer(
  context: GpuContext,
  options: GpuEngineOptions,
  report: BackendReport,
): Promise<Trainer> {
  return allocateEngine(
    context,
    options,
    report,
    planTraining({ software: report.software, ...options }, workgroupBytesOf(context)),
  );
}

function workgroupBytesOf({ device }: GpuContext): number {
  return device.limits.maxComputeWorkgroupStorageSize;
}

/** @throws GpuMemoryError, GPUPipelineError; nothing is left behind then */
async function allocateEngine(
  context: GpuContext,
  options: GpuEngineOptions,
  report: BackendReport,
  plan: Plan,
): Promise<Trainer> {
  let engine: Trainer | undefined;
  try {
    await context.allocate(async () => {
      engine = await createEngine(context, options, report, plan);
    });
  } catch (error) {
    await engine?.dispose();
    throw error;
  }
  return engine!;
}

async function createEngine(
  context: GpuContext,
  options: GpuEngineOptions,
  report: BackendReport,
  plan: Plan,
): Promise<Trainer> {
  const { device, buffers } = context;
  const { config, sequences, precision = 'fp32' } = options;
  const length = options.length ?? config.contextLength;
  const rows = sequences * length;
  const groups = parameterGroups(config);
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const inputs = new Map(plan.inputs.map((value) => [value.name!, value]));
  const training = groups.some(({ name }) => inputs.has(gradientInput(name)));

  const own: GPUBuffer[] = [];
  const make = (bytes: number): GPUBuffer => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = buffers.make(bytes, usage);
    own.push(buffer);
    return buffer;
  };
  const free = (): void => {
    halves?.dispose();
    for (const buffer of own) buffers.free(buffer);
  };
  const parameters = groups.map((group) => ({ ...group, buffer: make(4 * group.size) }));
  const gradients = training ? groups.map((group) => ({ ...group, buffer: make(4 * group.size) })) : [];
  const feeds = { tokens: make(4 * rows), targets: make(4 * rows), counts: make(4 * rows) };
  let halves: HalfCopies | undefined;

  const given = new Map<Value, GPUBuffer>();
  const give = (name: string, buffer: GPUBuffer): void => {
    const value = inputs.get(name);
    if (value) given.set(value, buffer);
  };
  let program: Program;
  try {
    if (precision === 'fp16') halves = await createHalfCopies(context, parameters.filter(isMatrix));
    for (const { name, buffer } of parameters) give(name, halves?.of(name) ?? buffer);
    for (const { name, buffer } of gradients) give(gradientInput(name), buffer);
    give(INPUT.tokens, feeds.tokens);
    give(INPUT.targets, feeds.targets);
    give(INPUT.counts, feeds.counts);
    program = await createProgram(context, plan, given);
  } catch (error) {
    free();
    throw error;
  }
  const applyStep = createApplyStep(device, buffers, parameters);
  const loss = plan.outputs[LOSS]!;
  for (const { name, buffer } of gradients) {
    if (program.bufferOf(plan.outputs[gradientOutput(name)]!) !== buffer) {
      throw new Error(`the gradient of ${name} is not summed up in place`);
    }
  }

  const compressors: { dispose(): void }[] = [];
  let accumulated = 0;
  let disposed = false;

  async function usable<T>(work: () => T | Promise<T>): Promise<T> {
    if (disposed) throw new Error('the engine was disposed');
    return context.guard(work);
  }

  async function run(batch: Batch): Promise<LossSum> {
    const arrays = batchArrays(batch, { sequences, length, vocabSize: config.vocabSize });
    halves?.refresh();
    device.queue.writeBuffer(feeds.tokens, 0, batch.tokens as Int32Array<ArrayBuffer>);
    device.queue.writeBuffer(feeds.targets, 0, arrays.targets);
    device.queue.writeBuffer(feeds.counts, 0, arrays.counts);
    program.run();
    if (training) accumulated += arrays.predicted;
    const [sum] = await readFloats(context, [{ buffer: program.bufferOf(loss), size: 1 }]);
    return { sum: sum!, count: arrays.predicted };
  }

  function clearGradients(): void {
    const encoder = device.createCommandEncoder();
    for (const { buffer } of gradients) encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
    accumulated = 0;
  }

  return {
    report,
    sequences,
    length,
    setParameters: (values) =>
      usable(() => {
        if (values.length !== total) throw new RangeError(`${values.length} parameters given, the model has ${total}`);
        for (const { buffer, offset, size } of parameters) {
          device.queue.writeBuffer(buffer, 0, new Float32Array(values.subarray(offset, offset + size)));
        }
        halves?.invalidate();
      }),
    readParameters: () => usable(() => readFloats(context, parameters)),
    applyStep: (step) =>
      usable(() => {
        if (step.total !== total) throw new RangeError(`step of ${step.total} parameters applied to ${total}`);
        applyStep(step);
        halves?.invalidate();
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
        const gradient = await readFloats(context, gradients);
        for (let i = 0; i < total; i++) gradient[i] = gradient[i]! / accumulated;
        clearGradients();
        return gradient;
      }),
    discardGradient: () => usable(clearGradients),
    createCompressor: (scheme) =>
      usable(async () => {
        const tensorsOf = (stored: typeof parameters): DeviceTensor[] =>
          stored.flatMap(({ buffer, offset, members }) =>
            members.map((spec) => ({ buffer, offset: spec.offset - offset, spec })),
          );
        const compressor = await context.allocate(async () => {
          const made = await createGpuCompressor({
            context,
            scheme,
            parameters: tensorsOf(parameters),
            gradients: tensorsOf(gradients),
          });
          compressors.push(made);
          return made;
        });
        /** The parameters may have moved, whatever came of it. */
        const moving = async <T>(work: () => T | Promise<T>): Promise<T> => {
          try {
            return await work();
          } finally {
            if (scheme.localSteps) halves?.invalidate();
          }
        };
        return {
          stateBytes: compressor.stateBytes,
          localStep: (window) =>
            usable(() =>
              moving(async () => {
                if (accumulated === 0) throw new Error('no gradient was accumulated');
                await compressor.localStep(window, 1 / accumulated);
                clearGradients();
              }),
            ),
          discard: () =>
            usable(() =>
              moving(() => {
                clearGradients();
                compressor.discard();
              }),
            ),
          compress: (window) =>
            usable(() =>
              moving(async () => {
                const body = await compressor.compress(window, accumulated === 0 ? null : 1 / accumulated);
                clearGradients();
                return body;
              }),
            ),
          undo: () => usable(() => compressor.undo()),
          saveState: () => usable(() => compressor.saveState()),
          loadState: (bytes) => usable(() => compressor.loadState(bytes)),
        };
      }),
    dispose() {
      if (!disposed) {
        disposed = true;
        for (const compressor of compressors) compressor.dispose();
        program.dispose();
        free();
      }
      return Promise.resolve();
    },
  };
}
