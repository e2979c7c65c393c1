/**
 * The contributor's copy of the model, kept in exact lockstep: a verified checkpoint plus outer steps, with the state
 * root compared before anything is trained on it. The engine has the parameters to train with; the copy here takes the
 * same steps, which are exact, and is compared with the engine's as often as reading these back is cheap.
 */
import { applyOuterStep } from '../core/lockstep/outer-step.ts';
import { parameterChunks, parametersFromBytes } from '../core/lockstep/parameters.ts';
import { rootOfLeaves, stateRoot } from '../core/lockstep/state-root.ts';
import type { Checkpoint } from '../core/protocol/api.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Evaluator } from '../engine/engine.ts';
import { webDigest, type ValidatorApi } from './api.ts';
import { cachedBlob } from './cached-blob.ts';
import type { ContributorEvent } from './events.ts';
import { messageOf, UnreachableError } from './http.ts';
import type { BlobCache } from './ports.ts';

/** The parameters are not those of the run: cured by a fresh download. */
export class RootMismatchError extends Error {
  override readonly name = 'RootMismatchError';
}

/** More steps behind than this, a checkpoint is the shorter way. */
const MAX_STEPS_BEHIND = 200;
/** Bytes a window that may be brought from the device, on average, to see that it holds what it should. */
const READ_BACK_BYTES = 16 * 2 ** 20;

export interface Replica {
  /** The window that the parameters train, 0 before the first download. */
  readonly window: number;
  readonly root: string;
  /** fp32, those that the root was taken of. */
  readonly parameters: Float32Array<ArrayBuffer>;
  /**
   * Brings the parameters to those of `window`, by the missing outer steps where that is possible and by checkpoint
   * where not.
   *
   * @throws RootMismatchError when the result's root is not `root` even after a fresh download
   */
  catchUp(target: { window: number; root: string }, signal: AbortSignal): Promise<void>;
  /** Forgets the parameters: the next `catchUp` starts from a checkpoint. Called after the engine was rebuilt. */
  reset(): void;
}

/** What holds the parameters. */
export type ReplicaEngine = Pick<Evaluator, 'setParameters' | 'applyStep' | 'readParameters'>;

export interface ReplicaOptions {
  readonly run: string;
  readonly manifest: RunManifest;
  readonly scheme: Scheme;
  readonly api: ValidatorApi;
  readonly cache: BlobCache;
  readonly engine: () => ReplicaEngine;
  readonly emit: (event: ContributorEvent) => void;
  /** Bytes a window that may be read back from the device, on average. */
  readonly readBackBytes?: number;
}

export function createReplica(options: ReplicaOptions): Replica {
  const { run, manifest, scheme, api, cache, engine, emit, readBackBytes = READ_BACK_BYTES } = options;
  const windowsAComparison = Math.max(1, Math.ceil((4 * scheme.layout.total) / readBackBytes));
  let windowsUncompared = 0;
  /** The window of the checkpoint that is kept in the cache. */
  let kept = 0;
  let window = 0;
  let root = '';
  let parameters = new Float32Array(0);
  /** For what is in use already when it is stored: where there is no room, it is downloaded again by the next visit. */
  const bestEffort: BlobCache = {
    ...cache,
    put: (kind, sha256, bytes) => cache.put(kind, sha256, bytes).catch(notStored),
  };

  async function loadCheckpoint(signal: AbortSignal): Promise<void> {
    const checkpoint = await api.checkpoint(signal);
    assertShape(checkpoint, run, manifest, scheme);
    const { chunks } = checkpoint;
    const totalBytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    const bytes = new Uint8Array(totalBytes);
    let offset = 0;
    const progress = (done: number): void => {
      emit({ type: 'status', status: { kind: 'downloading', what: 'checkpoint', bytes: done, totalBytes } });
    };
    progress(0);
    for (const chunk of chunks) {
      const start = offset;
      bytes.set(
        await cachedBlob(options, 'checkpoint-chunk', chunk, signal, (done) => {
          progress(start + done);
        }),
        offset,
      );
      offset += chunk.bytes;
      progress(offset);
    }
    await cache.retain('checkpoint-chunk', new Set(chunks.map((chunk) => chunk.sha256)));
    await cache.retain('outer-step', new Set(checkpoint.steps.map((step) => step.sha256)));
    parameters = parametersFromBytes(bytes);
    await engine().setParameters(parameters);
    // What a device has just been given is looked at once.
    windowsUncompared = windowsAComparison;
    window = checkpoint.window;
    kept = window;
    root = checkpoint.stateRoot;
  }

  const isCheckpoint = (at: number): boolean => (at - 1) % manifest.checkpoint.everyWindows === 0;

  function notStored(error: unknown): void {
    emit({ type: 'warning', message: `The model could not be stored for the next visit: ${messageOf(error)}` });
  }

  /** The checkpoint that the validator publishes now is what is held already: a reload need not download it. */
  async function keepAsCheckpoint(leaves: readonly string[]): Promise<void> {
    for (const [i, chunk] of parameterChunks(parameters, manifest.checkpoint.chunkBytes).entries()) {
      await cache.put('checkpoint-chunk', leaves[i]!, chunk.slice());
    }
    await cache.retain('checkpoint-chunk', new Set(leaves));
    await cache.retain('outer-step', new Set());
    kept = window;
  }

  /** A checkpoint that is passed on the way is kept too: else the steps of a tab that never stops at one pile up. */
  async function keepPassed(published: string | null): Promise<void> {
    const { root: actual, leaves } = await stateRoot(parameters, manifest.checkpoint.chunkBytes, webDigest);
    // Parameters that are not the run's are found out at the end of the way.
    if (actual === published) await keepAsCheckpoint(leaves).catch(notStored);
  }

  async function applySteps(target: number, signal: AbortSignal): Promise<void> {
    const missing = await api.windows(window, target - window, signal);
    const steps = missing.filter((row) => row.window >= window && row.window < target);
    if (steps.length !== target - window)
      throw new RootMismatchError(`the steps from window ${window} are not all there`);
    const totalBytes = steps.reduce((sum, step) => sum + (step.outerStep?.bytes ?? 0), 0);
    const lastPassed = steps.findLast((step) => isCheckpoint(step.window + 1) && step.window + 1 < target);
    let done = 0;
    for (const step of steps) {
      if (!step.outerStep) throw new RootMismatchError(`window ${step.window} has no outer step`);
      if (steps.length > 1) {
        emit({ type: 'status', status: { kind: 'downloading', what: 'steps', bytes: done, totalBytes } });
      }
      const bytes = await cachedBlob({ api, cache: bestEffort }, 'outer-step', step.outerStep, signal);
      const decoded = scheme.decodeStep(bytes, { run, window: step.window });
      await engine().applyStep(decoded);
      applyOuterStep(parameters, decoded);
      done += bytes.length;
      window = step.window + 1;
      if (step === lastPassed) await keepPassed(step.stateRoot);
    }
  }

  async function verify(expected: string): Promise<void> {
    emit({ type: 'status', status: { kind: 'verifying', window } });
    if (++windowsUncompared >= windowsAComparison) {
      parameters = await engine().readParameters();
      windowsUncompared = 0;
    }
    const { root: actual, leaves } = await stateRoot(parameters, manifest.checkpoint.chunkBytes, webDigest);
    if (actual !== expected) throw new RootMismatchError(`the state root is ${actual}, the run’s is ${expected}`);
    root = actual;
    if (window !== kept && isCheckpoint(window)) await keepAsCheckpoint(leaves).catch(notStored);
    // Not before it is stored: whoever sees the root may close the page.
    emit({ type: 'state-root', window, root });
  }

  async function fromCheckpoint(target: { window: number; root: string }, signal: AbortSignal): Promise<void> {
    await loadCheckpoint(signal);
    await applySteps(target.window, signal);
    await verify(target.root);
  }

  return {
    get window() {
      return window;
    },
    get root() {
      return root;
    },
    get parameters() {
      return parameters;
    },
    async catchUp(target, signal) {
      if (window === target.window && root === target.root && parameters.length > 0) return;
      const behind = target.window - window;
      if (window > 0 && behind > 0 && behind <= MAX_STEPS_BEHIND) {
        try {
          await applySteps(target.window, signal);
          await verify(target.root);
          return;
        } catch (error) {
          if (!(error instanceof RootMismatchError)) {
            // A step may have been applied and another not: only a checkpoint is certain again.
            window = 0;
            throw error;
          }
          emit({ type: 'status', status: { kind: 'resyncing', reason: error.message } });
        }
      }
      window = 0;
      await fromCheckpoint(target, signal).catch((error: unknown) => {
        window = 0;
        throw error;
      });
    },
    reset() {
      window = 0;
      root = '';
    },
  };
}

/** The chunks must add up to the model and hash to the root, whatever the validator says of them. */
function assertShape(checkpoint: Checkpoint, run: string, manifest: RunManifest, scheme: Scheme): void {
  const bytes = checkpoint.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  if (checkpoint.run !== run || bytes !== scheme.layout.total * 4) {
    throw new UnreachableError('the checkpoint on offer is not of this run’s model');
  }
  if (checkpoint.chunks.some((chunk) => chunk.bytes > manifest.checkpoint.chunkBytes)) {
    throw new UnreachableError('the checkpoint on offer has a chunk larger than the manifest allows');
  }
  if (rootOfLeaves(checkpoint.chunks.map((chunk) => chunk.sha256)) !== checkpoint.stateRoot) {
    throw new UnreachableError('the checkpoint’s chunks do not hash to its state root');
  }
}
