/** An evaluator: measures losses for a judge elsewhere, from what is in the run's store. It holds nothing of its own. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { NodeProvider } from '../../engine/node.ts';
import type { LossSum } from '../../engine/engine.ts';
import { loadContext } from '../rounds/context.ts';
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

/** @throws CorruptRunError when there is no run */
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
