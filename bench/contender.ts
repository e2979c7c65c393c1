/** What is compared: libraries that train the same model on the same adapter, each behind the same few functions. */
import type { Batch } from '../core/data/batch.ts';
import type { ModelConfig } from '../core/model/config.ts';
import type { DecoupledMomentumParameters } from '../core/protocol/manifest.ts';
import type { BenchPrecision, ContenderName } from './report.ts';

/** The same step for everybody: loss and gradient of one batch, the gradient added to what was accumulated. */
export interface TrainingOptions {
  readonly config: ModelConfig;
  /** Sequences of every batch. */
  readonly sequences: number;
  /** Tokens of each. */
  readonly length: number;
  readonly precision: BenchPrecision;
  /** Flat, in layout order. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly batch: Batch;
}

export interface Training {
  /** Operators of the graph, where there is one. */
  readonly nodes: number | null;
  /** So many steps queued one after another, and one wait at the end. @returns the last one's mean loss */
  steps(count: number): Promise<number>;
  /** The accumulated gradient of the mean loss, flat in layout order; zero afterwards. */
  takeGradient(): Promise<Float32Array>;
  /** What a window costs besides its steps; only of engines that take part in a run. */
  window?(scheme: DecoupledMomentumParameters): Promise<WindowCost>;
}

export interface WindowCost {
  readonly compressMs: number;
  readonly applyMs: number;
}

/** [m, k] x [k, n] */
export interface ProductShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** So many products of the same matrices queued one after another, and one wait at the end. */
export type RunProducts = (count: number) => Promise<void>;

export interface Contender {
  /** @throws Error when it cannot, which makes the row a failed one */
  readonly train: (options: TrainingOptions) => Promise<Training>;
  readonly matmul: (shape: ProductShape, precision: BenchPrecision) => Promise<RunProducts>;
}

/** What a contender needs from where it runs. */
export interface Surroundings {
  /** Addresses of onnxruntime-web's WebAssembly and of the script that starts it. */
  readonly onnxruntime: { readonly wasm: string; readonly mjs: string };
  /** The driver's name, by where the platform puts it; null where it does not tell. */
  readonly driver: (info: GPUAdapterInfo) => string | null;
}

export interface ContenderModule {
  createContender(surroundings: Surroundings): Contender | Promise<Contender>;
}

const CONTENDERS: Record<ContenderName, () => Promise<ContenderModule>> = {
  own: () => import('./contenders/own.ts'),
  'onnxruntime-web': () => import('./contenders/onnxruntime.ts'),
  'tfjs-webgpu': peer('tfjs'),
  'jax-js': peer('jax'),
  'onnxruntime-wasm': () => import('./contenders/wasm.ts'),
};

/** Modules with dependencies of their own, which need not be installed where the rest is type-checked. */
function peer(name: string): () => Promise<ContenderModule> {
  const modules = import.meta.glob<ContenderModule>('./peers/*.ts');
  return () => modules[`./peers/${name}.ts`]!();
}

export async function createContender(name: ContenderName, surroundings: Surroundings): Promise<Contender> {
  return (await CONTENDERS[name]()).createContender(surroundings);
}
