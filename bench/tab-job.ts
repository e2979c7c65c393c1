/** What is measured in a tab, and what comes back. */
import type { ModelConfig } from '../core/model/config.ts';
import type { BackendReport } from '../engine/engine.ts';

export interface TabJob {
  readonly backend: 'webgpu' | 'wasm';
  readonly config: ModelConfig;
  readonly sequences: number;
  readonly steps: number;
}

export type TabResult =
  | { readonly ok: true; readonly report: BackendReport; readonly timings: Timings }
  | { readonly ok: false; readonly reason: string };

export interface Timings {
  /** From the configuration to an engine with parameters. */
  readonly compileMs: number;
  /** Median of one forward and backward pass. */
  readonly stepMs: number;
  /** Tokens of a step. */
  readonly tokens: number;
}
