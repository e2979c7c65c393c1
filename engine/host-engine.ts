/**
 * An engine whose tensors lie in this process's memory: onnxruntime-node, and onnxruntime-web's WASM provider. It is
 * written against the few calls that both have.
 */
import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-web';
import type { Batch } from '../core/data/batch.ts';
import { applyOuterStep } from '../core/lockstep/outer-step.ts';
import { parameterLayout } from '../core/model/layout.ts';
import type { BackendReport, EngineOptions, Evaluator, LossSum, Trainer } from './engine.ts';
import { batchArrays } from './feeds.ts';
import { forwardGraph, gradientInput, gradientOutput, INPUT, LOSS, trainingGraph } from './graph/llama.ts';
import { createHostCompressor } from './host-compressor.ts';
import { inTurn } from './in-turn.ts';
import { writeOnnx } from './graph/onnx.ts';

/** What both ONNX runtimes offer. */
export interface Runtime {
  readonly Tensor: typeof Tensor;
  readonly createSession: (model: Uint8Array<ArrayBuffer>) => Promise<InferenceSession>;
  readonly report: BackendReport;
}

type Tensors = Record<string, Tensor>;

/** An evaluator whose parameters can be changed where they lie. */
export interface HostEvaluator extends Evaluator {
  /** The memory itself: what is written here between two calls is what the second one evaluates. [layout.total] */
  readonly parameters: Float32Array<ArrayBuffer>;
}

/** Forward only. @throws Error of the runtime when the graph cannot be compiled */
export async function createHostEvaluator(runtime: Runtime, options: EngineOptions): Promise<HostEvaluator> {
  return createEngine(runtime, options, forwardGraph);
}

/** Forward and backward. @throws Error of the runtime when the graph cannot be compiled */
export async function createHostTrainer(runtime: Runtime, options: EngineOptions): Promise<Trainer> {
  return createEngine(runtime, options, trainingGraph);
}

async function createEngine(
  runtime: Runtime,
  options: EngineOptions,
  graph: typeof trainingGraph,
): Promise<Trainer & HostEvaluator> {
  const { config, sequences } = options;
  const length = options.length ?? config.contextLength;
  const training = graph === trainingGraph;
  const { parameters: specs, total } = parameterLayout(config);
  const session = await runtime.createSession(writeOnnx(graph({ config, sequences, length })));
  const rows = sequences * length;

  /** The flat vector as tensors over the same memory. */
  const views = (flat: Float32Array<ArrayBuffer>, nameOf: (parameter: string) => string): Tensors =>
    Object.fromEntries(
      specs.map(({ name, shape, offset, size }) => [
        nameOf(name),
        new runtime.Tensor('float32', flat.subarray(offset, offset + size), shape),
      ]),
    );

  const parameters = new Float32Array(total);
  const parameterTensors = views(parameters, (name) => name);
  // What a step returns is what the next one adds to: the WASM runtime does not write into tensors given for outputs.
  const zero = new Float32Array(training ? total : 0);
  const zeroTensors = training ? views(zero, gradientInput) : {};
  let accumulator = zeroTensors;
  let accumulated = 0;
  let disposed = false;

  const discard = (): void => {
    accumulator = zeroTensors;
    accumulated = 0;
  };

  /** Does the work, unless the engine was disposed; whatever is thrown becomes a rejection. */
  async function usable<T>(work: () => T | Promise<T>): Promise<T> {
    if (disposed) throw new Error('the engine was disposed');
    return work();
  }

  async function run(batch: Batch): Promise<LossSum> {
    const { tokens, targets, counts, predicted } = batchArrays(batch, {
      sequences,
      length,
      vocabSize: config.vocabSize,
    });
    const feeds: Tensors = {
      ...parameterTensors,
      [INPUT.tokens]: new runtime.Tensor('int64', tokens, [rows, 1]),
      [INPUT.targets]: new runtime.Tensor('int32', targets, [rows, 1]),
      [INPUT.counts]: new runtime.Tensor('float32', counts, [rows, 1]),
    };
    const results = await session.run({ ...feeds, ...accumulator });
    if (training) {
      accumulator = Object.fromEntries(
        specs.map(({ name }) => [gradientInput(name), results[gradientOutput(name)] as Tensor]),
      );
      accumulated += predicted;
    }
    return { sum: (results[LOSS] as TypedTensor<'float32'>).data[0]!, count: predicted };
  }

  const trainer: Trainer & HostEvaluator = {
    parameters,
    report: runtime.report,
    sequences,
    length,
    setParameters: (values) =>
      usable(() => {
        if (values.length !== total) {
          throw new RangeError(`${values.length} parameters given, the model has ${total}`);
        }
        parameters.set(values);
      }),
    readParameters: () => usable(() => parameters.slice()),
    applyStep: (step) => usable(() => applyOuterStep(parameters, step)),
    loss: (batch) =>
      usable(() => {
        if (training) throw new Error('a trainer accumulates; make an evaluator for the loss alone');
        return run(batch);
      }),
    accumulate: inTurn((batch) => usable(() => run(batch))),
    takeGradient: () =>
      usable(() => {
        if (accumulated === 0) throw new Error('no gradient was accumulated');
        const gradient = new Float32Array(total);
        for (const { name, offset } of specs) {
          gradient.set(accumulator[gradientInput(name)]!.data as Float32Array, offset);
        }
        for (let i = 0; i < total; i++) gradient[i] = gradient[i]! / accumulated;
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
      await session.release();
    },
  };
  return trainer;
}
