/**
 * A judge engine on threads of its own, so that requests are answered while it works. Each thread holds θ and an
 * evaluator; calls go to whichever is free, and give the same bits in all of them. A thread that dies takes its call
 * with it, and is replaced when the next one comes.
 */
import '../../engine/without-telemetry.ts';
import { availableParallelism, totalmem } from 'node:os';
import { Worker, type Transferable } from 'node:worker_threads';
import { parameterLayout } from '../../core/model/layout.ts';
import { ProblemError } from '../../core/protocol/problem.ts';
import type { NodeProvider } from '../../engine/node.ts';
import type { LocalJudgeEngine } from '../rounds/local-judge-engine.ts';
import type { JudgedRun, JudgeEngine, ModelState, SignedBytes } from '../rounds/ports.ts';
import type { Call, JudgeThreadData, Method, Reply } from './judge-thread.ts';

/** A thread that has not ended by itself is ended after this long. */
const GRACE_MS = 5_000;
/** θ twice, and while a step is taken its successor and the copy of that which is sent. */
const BYTES_A_PARAMETER = 16;
const THREAD_BYTES = 256 * 2 ** 20;

/** The thread of a call ended before its answer. The call may be repeated. */
export class JudgeThreadLostError extends Error {
  override readonly name = 'JudgeThreadLostError';
}

export interface PoolSize {
  /** Threads, each with an evaluator. */
  readonly lanes: number;
  /** Threads of each evaluator's operators. */
  readonly intraOpThreads: number;
}

export interface JudgePoolOptions extends PoolSize {
  /** Of onnxruntime; by default the processor. */
  readonly provider?: NodeProvider;
  /** Starts a thread. */
  readonly spawn?: (data: JudgeThreadData) => Worker;
}

/**
 * One lane a core, as many as there are evaluations in a window and half the memory holds; cores beyond that work
 * inside the operators, which scales worse (docs/measurements/validator.md).
 *
 * @param memory bytes of the machine
 */
export function poolSize(
  { manifest }: JudgedRun,
  cores = availableParallelism(),
  memory: number = totalmem(),
): PoolSize {
  const laneBytes = THREAD_BYTES + BYTES_A_PARAMETER * parameterLayout(manifest.model).total;
  const wanted = Math.min(cores, manifest.gauntlet.evaluationsPerWindow, Math.floor(memory / 2 / laneBytes));
  const lanes = Math.max(1, wanted);
  return { lanes, intraOpThreads: Math.max(1, Math.floor(cores / lanes)) };
}

function spawnThread(workerData: JudgeThreadData): Worker {
  return new Worker(new URL('./judge-thread.mjs', import.meta.url), { workerData, execArgv: [] });
}

type Answer<M extends Method> = Awaited<ReturnType<LocalJudgeEngine[M]>>;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Contributions are given away, so they move; all else is copied. */
function transferable(contributions: readonly SignedBytes[]): Transferable[] {
  return contributions.map(({ bytes }) => bytes.buffer);
}

/** A place for one thread, one call at a time. */
class Lane {
  /** Root of the parameters that its thread has. */
  holds: string | undefined;
  readonly #spawn: () => Worker;
  #worker: Worker | undefined;
  #pending: Pending | undefined;

  constructor(spawn: () => Worker) {
    this.#spawn = spawn;
  }

  call<M extends Method>(method: M, args: Call<M>['args'], transfer: Transferable[] = []): Promise<Answer<M>> {
    const worker = (this.#worker ??= this.#start());
    return new Promise<Answer<M>>((resolve, reject) => {
      worker.postMessage({ method, args } satisfies Call<M>, transfer);
      this.#pending = { resolve: resolve as Pending['resolve'], reject };
    });
  }

  /** Ends the thread after its call. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ method: 'dispose', args: [] } satisfies Call);
    const impatient = setTimeout(() => void worker.terminate(), GRACE_MS);
    await ended;
    clearTimeout(impatient);
  }

  #start(): Worker {
    const worker = this.#spawn();
    worker.on('message', (reply: Reply) => {
      const pending = this.#pending;
      this.#pending = undefined;
      if ('value' in reply) pending?.resolve(reply.value);
      else if ('problem' in reply) pending?.reject(new ProblemError(reply.problem.key, reply.problem.detail));
      else pending?.reject(reply.error);
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      this.holds = undefined;
      this.#pending?.reject(new JudgeThreadLostError(`the judge’s thread ended (exit code ${code})`, { cause }));
      this.#pending = undefined;
    });
    return worker;
  }
}

export function createJudgePool(judged: JudgedRun, options: JudgePoolOptions = poolSize(judged)): JudgeEngine {
  const { lanes: count, intraOpThreads, provider = 'cpu', spawn = spawnThread } = options;
  // Only what can be cloned: a caller may know more of a run.
  const run: JudgedRun = { run: judged.run, manifest: judged.manifest };
  const lanes = Array.from({ length: count }, () => new Lane(() => spawn({ run, intraOpThreads, provider })));
  // The newest one first, so that calls one after another need one thread.
  const idle = [...lanes];
  const waiting: ((lane: Lane) => void)[] = [];
  let state: ModelState | undefined;
  /** The newest step and where it leads from: cheaper for the other lanes than its parameters. */
  let newest: { from: string; to: string; window: number; step: Uint8Array<ArrayBuffer> } | undefined;
  let disposed = false;

  async function withLane<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = idle.pop() ?? (await new Promise<Lane>((resolve) => waiting.push(resolve)));
    try {
      if (disposed) throw new Error('the judge engine was disposed');
      return await work(lane);
    } finally {
      const next = waiting.shift();
      if (next) next(lane);
      else idle.push(lane);
    }
  }

  /** @returns θ's root, which the lane has now */
  async function prepare(lane: Lane): Promise<string> {
    if (!state) throw new Error('the judge engine was given no parameters');
    const { root } = state;
    if (lane.holds !== root) {
      if (newest?.to === root && newest.from === lane.holds) {
        await lane.call('follow', [newest.window, newest.step, root]);
      } else await lane.call('use', [state]);
      lane.holds = root;
    }
    return root;
  }

  return {
    lanes: count,
    inspect: (contribution) => withLane((lane) => lane.call('inspect', [contribution], transferable([contribution]))),
    use(next) {
      // Each lane takes it when it has something to do with it.
      state = next;
      return Promise.resolve();
    },
    losses: (pages, trial) =>
      withLane(async (lane) => {
        await prepare(lane);
        return lane.call('losses', [pages, trial], trial && transferable([trial.contribution]));
      }),
    measure: (contribution, search) =>
      withLane((lane) => lane.call('measure', [contribution, search], transferable([contribution]))),
    suspects: (sketches, search) =>
      withLane((lane) =>
        lane.call(
          'suspects',
          [sketches, search],
          sketches.map(({ buffer }) => buffer),
        ),
      ),
    overlaps: (contributions, pairs) =>
      withLane((lane) => lane.call('overlaps', [contributions, pairs], transferable(contributions))),
    complete: (prompts, maxTokens) =>
      withLane(async (lane) => {
        await prepare(lane);
        return lane.call('complete', [prompts, maxTokens]);
      }),
    advance: (window, contributions) =>
      withLane(async (lane) => {
        const from = await prepare(lane);
        const advance = await lane.call('advance', [window, contributions], transferable(contributions));
        state = advance.state;
        lane.holds = state.root;
        newest = { from, to: state.root, window, step: advance.step };
        return advance;
      }),
    async dispose() {
      disposed = true;
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}
