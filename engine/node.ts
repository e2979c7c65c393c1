/** Engines on onnxruntime-node's CPU provider, for the validator and simulated peers. Node only. */
import { availableParallelism, cpus } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { EngineOptions, Trainer } from './engine.ts';
import { createHostEvaluator, createHostTrainer, type HostEvaluator, type Runtime } from './host-engine.ts';

export interface NodeEngineOptions extends EngineOptions {
  /** Threads an operator may use; defaults to all processors. */
  readonly intraOpThreads?: number;
}

function runtime({ intraOpThreads = availableParallelism() }: NodeEngineOptions): Runtime {
  return {
    Tensor: ort.Tensor,
    createSession: (model) =>
      ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        intraOpNumThreads: intraOpThreads,
        interOpNumThreads: 1,
      }),
    report: {
      backend: 'node-cpu',
      device: `${cpus()[0]?.model.trim() ?? 'processor'}, ${intraOpThreads} ${intraOpThreads === 1 ? 'thread' : 'threads'}`,
      software: false,
      reasons: ['A server and simulated peers train on the processor.'],
    },
  };
}

export function createNodeEvaluator(options: NodeEngineOptions): Promise<HostEvaluator> {
  return createHostEvaluator(runtime(options), options);
}

export function createNodeTrainer(options: NodeEngineOptions): Promise<Trainer> {
  return createHostTrainer(runtime(options), options);
}
