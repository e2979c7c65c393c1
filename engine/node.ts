/** Engines on onnxruntime-node, for the validator, evaluators and simulated peers. Node only. */
import './without-telemetry.ts';
import { availableParallelism, cpus } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { EngineOptions, Trainer } from './engine.ts';
import { createHostEvaluator, createHostTrainer, type HostEvaluator, type Runtime } from './host-engine.ts';

/** Execution providers of onnxruntime-node. CUDA's is not in its npm package: its install script fetches it. */
export const NODE_PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;
export type NodeProvider = (typeof NODE_PROVIDERS)[number];

export interface NodeEngineOptions extends EngineOptions {
  /** By default the processor. */
  readonly provider?: NodeProvider;
  /** Threads an operator may use; defaults to all processors. */
  readonly intraOpThreads?: number;
}

function deviceName(provider: NodeProvider, threads: number): string {
  if (provider !== 'cpu') return `${provider} of onnxruntime-node`;
  return `${cpus()[0]?.model.trim() ?? 'processor'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function runtime({ intraOpThreads = availableParallelism(), provider = 'cpu' }: NodeEngineOptions): Runtime {
  return {
    Tensor: ort.Tensor,
    createSession: (model) =>
      ort.InferenceSession.create(model, {
        executionProviders: [provider],
        intraOpNumThreads: intraOpThreads,
        interOpNumThreads: 1,
      }),
    report: {
      backend: 'node',
      device: deviceName(provider, intraOpThreads),
      software: false,
      reasons: ['A server and simulated peers compute on what their operator names.'],
    },
  };
}

export function createNodeEvaluator(options: NodeEngineOptions): Promise<HostEvaluator> {
  return createHostEvaluator(runtime(options), options);
}

export function createNodeTrainer(options: NodeEngineOptions): Promise<Trainer> {
  return createHostTrainer(runtime(options), options);
}
