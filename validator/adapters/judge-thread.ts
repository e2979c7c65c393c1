/** A judge's thread: a local judge engine whose calls arrive as messages, one at a time. */
import { parentPort, workerData, type Transferable } from 'node:worker_threads';
import { ProblemError, type ProblemKey } from '../../core/protocol/problem.ts';
import { createNodeEvaluator, type NodeProvider } from '../../engine/node.ts';
import { createLocalJudgeEngine, type LocalJudgeEngine } from '../rounds/local-judge-engine.ts';
import type { Advance, JudgedRun } from '../rounds/ports.ts';
import { nodeDigest } from './run-folder.ts';

export interface JudgeThreadData {
  readonly run: JudgedRun;
  readonly intraOpThreads: number;
  readonly provider?: NodeProvider;
}

/** What a thread can be asked. */
export type Method =
  'inspect' | 'use' | 'follow' | 'losses' | 'measure' | 'suspects' | 'overlaps' | 'complete' | 'advance' | 'dispose';

export interface Call<M extends Method = Method> {
  readonly method: M;
  readonly args: Parameters<LocalJudgeEngine[M]>;
}

/** The class of a ProblemError would be lost on the way. */
export type Reply =
  | { readonly value: unknown }
  | { readonly problem: { readonly key: ProblemKey; readonly detail: string } }
  | { readonly error: unknown };

const port = parentPort!;
const { run, intraOpThreads, provider = 'cpu' } = workerData as JudgeThreadData;
const engine = createLocalJudgeEngine(run, {
  createEvaluator: (options) => createNodeEvaluator({ ...options, intraOpThreads, provider }),
  digest: nodeDigest,
});

function reply(message: Reply, transfer: Transferable[] = []): void {
  port.postMessage(message, transfer);
}

async function answer({ method, args }: Call): Promise<void> {
  try {
    const value = await (engine[method] as (...given: unknown[]) => Promise<unknown>)(...args);
    if (method !== 'advance') {
      reply({ value });
      return;
    }
    // The parameters are still needed here; the step is not.
    const { step, state } = value as Advance;
    const parameters = state.parameters.slice();
    reply({ value: { step, state: { ...state, parameters } } }, [step.buffer, parameters.buffer]);
  } catch (error) {
    reply(error instanceof ProblemError ? { problem: { key: error.key, detail: error.message } } : { error });
  }
}

let last = Promise.resolve();
port.on('message', (call: Call) => {
  last = last.then(async () => {
    await answer(call);
    if (call.method === 'dispose') port.close();
  });
});
