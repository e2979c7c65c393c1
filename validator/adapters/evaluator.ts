/** An evaluator: measures losses for a judge elsewhere, from what is in the run's store. It holds nothing of its own. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { NodeProvider } from '../../engine/node.ts';
import type { LossSum } from '../../engine/engine.ts';
import { LOSS_TOLERANCE } from '../audit/differences.ts';
import { loadContext, type RunContext } from '../rounds/context.ts';
import { createLossMeter } from '../rounds/losses.ts';
import { loadParameters } from '../rounds/parameters.ts';
import type { JudgeEngine, Log, ModelState } from '../rounds/ports.ts';
import type { LossJob } from '../rounds/shared-judge-engine.ts';
import { createJudgePool, poolSize } from './judge-pool.ts';
import type { SharedFolder } from './run-folder.ts';

export interface EvaluatorOptions {
  /** Measurements at once; by default as many as a judge would make on this machine. */
  readonly lanes?: number;
  readonly provider?: NodeProvider;
  readonly log: Log;
  /** Called for each measurement made. */
  readonly onMeasured?: (ms: number) => void;
}

export interface Evaluator {
  readonly id: string;
  readonly run: string;
  readonly lanes: number;
  /** Leaves after the measurements under way. */
  stop(): Promise<void>;
}

/** A provider that cannot be used on this machine, or should not be. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

const WANTS: Readonly<Record<NodeProvider, string>> = {
  cpu: '',
  cuda: 'It wants CUDA 12 and cuDNN 9, and the libraries that `node node_modules/onnxruntime-node/script/install.js` fetches.',
  webgpu: 'It wants libvulkan.so.1 and a graphics driver that `vulkaninfo` finds.',
};

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;

export interface ProviderProof {
  readonly provider: NodeProvider;
  readonly model: ModelState;
  /** On the provider. */
  readonly measured: JudgeEngine;
  readonly processor: JudgeEngine;
}

/**
 * An evaluator that fails would take every job only to fail it, and one that measures something else would be in the books:
 * so what is no processor shows first that it measures what the processor does.
 *
 * @throws ProviderError
 */
export async function proveProvider(
  context: RunContext,
  folder: Pick<SharedFolder, 'blobs'>,
  { provider, model, measured, processor }: ProviderProof,
): Promise<void> {
  const lossOf = async (engine: JudgeEngine): Promise<number> => {
    await engine.use(model);
    const [loss] = await createLossMeter(context, folder.blobs, engine).on([[context.pages.train]]);
    return loss!;
  };
  let found: number;
  try {
    found = await lossOf(measured);
  } catch (error) {
    throw new ProviderError(
      `onnxruntime cannot compute on ${provider} here: ${firstLine(error)} ${WANTS[provider]} --provider cpu needs nothing.`,
      { cause: error },
    );
  }
  const expected = await lossOf(processor);
  if (!(Math.abs(found - expected) <= (LOSS_TOLERANCE / 2) * expected)) {
    throw new ProviderError(
      `${provider} measures a loss of ${found} where the processor measures ${expected}, which is further apart than an ` +
        'audit allows for. Update the driver, or use --provider cpu.',
    );
  }
}

/** @throws CorruptRunError when there is no run; ProviderError when it should not measure for one */
export async function startEvaluator(
  folder: Pick<SharedFolder, 'store' | 'blobs' | 'uploads' | 'digest' | 'shared'>,
  { lanes: wanted, provider = 'cpu', log, onMeasured }: EvaluatorOptions,
): Promise<Evaluator> {
  const context = await loadContext(folder);
  const { run, manifest } = context;
  const size = poolSize({ run, manifest });
  // A graphics card is one place, whatever the processors.
  const lanes = wanted ?? (provider === 'cpu' ? size.lanes : 1);
  const intraOpThreads = Math.max(1, Math.floor((size.lanes * size.intraOpThreads) / lanes));
  // An engine a lane: they may be at different θ for a moment, when a window ends.
  const engines = Array.from({ length: lanes }, () =>
    createJudgePool({ run, manifest }, { lanes: 1, intraOpThreads, provider }),
  );
  let newest: { readonly root: string; readonly state: Promise<ModelState> } | undefined;

  function modelOf(root: string): Promise<ModelState> {
    if (newest?.root !== root) {
      const state = loadParameters(context, folder, root).then((parameters) => ({ root, parameters }));
      newest = { root, state };
      state.catch(() => (newest = undefined));
    }
    return newest.state;
  }

  async function blob(sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await folder.blobs.read(sha256);
    if (!bytes) throw new Error(`page ${sha256} is not in the store`);
    return bytes;
  }

  async function measure(engine: JudgeEngine, { root, pages, trial }: LossJob): Promise<LossSum[]> {
    await engine.use(await modelOf(root));
    const read = await Promise.all(pages.map(blob));
    if (!trial) return engine.losses(read);
    const { contribution, sessionKey, stepSize, clipNorms } = trial;
    // One that was published meanwhile is a job come too late, which is no reason to fail.
    const bytes = (await folder.uploads.read(contribution)) ?? (await folder.blobs.read(contribution));
    if (!bytes) throw new Error(`contribution ${contribution} is not in the store`);
    return engine.losses(read, { contribution: { bytes, sessionKey }, stepSize, clipNorms });
  }

  if (provider !== 'cpu') {
    const processor = createJudgePool(context, { lanes: 1, intraOpThreads });
    try {
      const { stateRoot } = await folder.store.openWindow();
      const model = await modelOf(stateRoot);
      await proveProvider(context, folder, { provider, model, measured: engines[0]!, processor });
    } catch (error) {
      await Promise.all(engines.map((engine) => engine.dispose()));
      throw error;
    } finally {
      await processor.dispose();
    }
  }

  const id = randomUUID();
  const stopServing = await folder.shared.serveJobs({
    id,
    description: `${hostname()}, ${provider}`,
    lanes,
    log,
    async make(job, lane) {
      if (job.run !== run) throw new Error(`the job is of run ${job.run}`);
      const began = performance.now();
      const losses = await measure(engines[lane]!, job);
      onMeasured?.(performance.now() - began);
      return losses;
    },
  });
  return {
    id,
    run,
    lanes,
    async stop() {
      await stopServing();
      await Promise.all(engines.map((engine) => engine.dispose()));
    },
  };
}
