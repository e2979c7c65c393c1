import { beforeEach, describe, expect, test } from 'vitest';
import { applyOuterStep } from '../core/lockstep/outer-step.ts';
import { parameterChunks } from '../core/lockstep/parameters.ts';
import { stateRoot } from '../core/lockstep/state-root.ts';
import { parameterLayout } from '../core/model/layout.ts';
import { PRESETS } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { Checkpoint, WindowSummary } from '../core/protocol/api.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import type { BlobRef } from '../core/protocol/primitives.ts';
import { windowSummary } from '../core/protocol/testing/window-summary.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Evaluator } from '../engine/engine.ts';
import { sha256Hex, webDigest, type ValidatorApi } from './api.ts';
import type { ContributorEvent } from './events.ts';
import { UnreachableError } from './http.ts';
import { StorageQuotaError, type BlobCache, type BlobKind } from './ports.ts';
import { createReplica, RootMismatchError, type Replica } from './replica.ts';

const RUN = '0'.repeat(32);
const CHUNK_BYTES = 65_536;
const layout = parameterLayout(PRESETS.micro.model);
const scheme = createScheme(PRESETS.micro.scheme, layout);
const signal = new AbortController().signal;

/** Parameters in memory: what an engine does with them, without a graph. */
function memoryEngine(): Evaluator & { readonly held: Float32Array<ArrayBuffer> } {
  const held = new Float32Array(layout.total);
  const unused = (): never => {
    throw new Error('a replica computes no losses');
  };
  return {
    held,
    report: { backend: 'node', device: 'memory', software: false, reasons: [] },
    sequences: 1,
    length: 1,
    setParameters(values) {
      held.set(values);
      return Promise.resolve();
    },
    readParameters: () => Promise.resolve(held.slice()),
    applyStep(step) {
      applyOuterStep(held, step);
      return Promise.resolve();
    },
    loss: unused,
    dispose: () => Promise.resolve(),
  };
}

interface History {
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>;
  readonly checkpoint: Checkpoint;
  readonly windows: WindowSummary[];
  /** roots[w] is that of the parameters which window w trains from. */
  readonly roots: string[];
}

const stepOf = ({ window, stateRoot, outerStep }: WindowSummary): Checkpoint['steps'][number] => ({
  ...outerStep!,
  window,
  stateRoot: stateRoot!,
});

/** Three windows of a run, with real steps. */
async function makeHistory(): Promise<History> {
  const random = createRandom(seedFrom('replica'));
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = async (bytes: Uint8Array<ArrayBuffer>): Promise<BlobRef> => {
    const sha256 = await sha256Hex(bytes);
    blobs.set(sha256, bytes);
    return { sha256, bytes: bytes.length };
  };
  const parameters = Float32Array.from({ length: layout.total }, () => random.uniform() - 0.5);
  const rootNow = async (): Promise<string> => (await stateRoot(parameters, CHUNK_BYTES, webDigest)).root;
  const roots = ['', await rootNow()];
  const chunks: BlobRef[] = [];
  for (const chunk of parameterChunks(parameters, CHUNK_BYTES)) chunks.push(await store(chunk.slice()));
  const contributor = scheme.createContributor();
  const windows: WindowSummary[] = [];
  for (const window of [1, 2, 3]) {
    const gradient = Float32Array.from({ length: layout.total }, () => random.uniform() - 0.5);
    const learningRate = scheme.learningRate(window);
    const step = scheme.outerStep([scheme.decodeBody(contributor.compress(gradient, learningRate))], learningRate);
    applyOuterStep(parameters, step);
    roots.push(await rootNow());
    const outerStep = await store(scheme.encodeStep(step, { run: RUN, window }));
    windows.push(windowSummary(window, { stateRoot: roots.at(-1)!, outerStep }));
  }
  const steps = windows.map(stepOf);
  const checkpoint: Checkpoint = { run: RUN, window: 1, stateRoot: roots[1]!, chunks, steps };
  return { blobs, checkpoint, windows, roots };
}

describe('a replica', () => {
  let history: History;
  let fetched: string[];
  let cached: Map<string, Uint8Array<ArrayBuffer>>;
  let kinds: Map<string, BlobKind>;
  /** Kinds of blobs for which there is no room. */
  let full: Set<BlobKind> | undefined;
  let everyWindows: number;
  let events: ContributorEvent[];
  let engine: ReturnType<typeof memoryEngine>;
  let replica: Replica;
  let windows: WindowSummary[];
  let createAnother: (readBackBytes?: number) => Replica;

  beforeEach(async () => {
    history = await makeHistory();
    fetched = [];
    cached = new Map();
    kinds = new Map();
    full = undefined;
    everyWindows = 3;
    events = [];
    engine = memoryEngine();
    windows = history.windows;
    const api: Pick<ValidatorApi, 'checkpoint' | 'windows' | 'blob'> = {
      checkpoint: () => Promise.resolve(history.checkpoint),
      windows: (from, limit) => Promise.resolve(windows.slice(from - 1, from - 1 + limit)),
      blob({ sha256 }) {
        fetched.push(sha256);
        return Promise.resolve(history.blobs.get(sha256)!);
      },
    };
    const cache: BlobCache = {
      get: (sha256) => Promise.resolve(cached.get(sha256)),
      put(kind, sha256, bytes) {
        if (full?.has(kind)) return Promise.reject(new StorageQuotaError('no room', 'Make some.'));
        kinds.set(sha256, kind);
        cached.set(sha256, bytes);
        return Promise.resolve();
      },
      delete: (sha256) => Promise.resolve(void cached.delete(sha256)),
      retain(kind, kept) {
        for (const [sha256, each] of kinds) if (each === kind && !kept.has(sha256)) cached.delete(sha256);
        return Promise.resolve();
      },
    };
    createAnother = (readBackBytes) =>
      createReplica({
        run: RUN,
        manifest: { checkpoint: { chunkBytes: CHUNK_BYTES, everyWindows } } as RunManifest,
        scheme,
        api: api as ValidatorApi,
        cache,
        engine: () => engine,
        emit: (event) => events.push(event),
        ...(readBackBytes === undefined ? {} : { readBackBytes }),
      });
    replica = createAnother();
  });

  const at = (window: number): { window: number; root: string } => ({ window, root: history.roots[window]! });

  test('that joins late arrives by checkpoint and steps, and has verified the root', async () => {
    await replica.catchUp(at(4), signal);
    expect(replica).toMatchObject(at(4));
    expect(events.filter(({ type }) => type === 'state-root')).toEqual([{ type: 'state-root', ...at(4) }]);
  });

  test('that slept for two windows applies their steps and downloads nothing else', async () => {
    await replica.catchUp(at(2), signal);
    fetched = [];
    await replica.catchUp(at(4), signal);
    expect(replica).toMatchObject(at(4));
    expect(fetched).toEqual(windows.slice(1).map(({ outerStep }) => outerStep!.sha256));
  });

  test('after a reload takes everything from the cache, except what rotted there', async () => {
    await replica.catchUp(at(3), signal);
    const [first] = history.checkpoint.chunks;
    cached.set(
      first!.sha256,
      cached.get(first!.sha256)!.map((byte) => byte ^ 1),
    );
    fetched = [];
    replica.reset();
    engine.held.fill(0);
    await replica.catchUp(at(3), signal);
    expect(replica.parameters).toEqual(engine.held);
    expect(fetched).toEqual([first!.sha256]);
  });

  test('stores what the validator publishes as the next checkpoint: another visit downloads nothing', async () => {
    await replica.catchUp(at(4), signal);
    const { leaves, root } = await stateRoot(replica.parameters, CHUNK_BYTES, webDigest);
    const chunks = leaves.map((sha256) => ({ sha256, bytes: cached.get(sha256)!.length }));
    history = { ...history, checkpoint: { run: RUN, window: 4, stateRoot: root, chunks, steps: [] } };
    fetched = [];
    engine.held.fill(0);
    const another = createAnother();
    await another.catchUp(at(4), signal);
    expect(another.parameters).toEqual(engine.held);
    expect(another).toMatchObject(at(4));
    expect(fetched).toEqual([]);
  });

  test('keeps a checkpoint that it only passes, and of the steps those after it', async () => {
    everyWindows = 2;
    const passing = createAnother();
    await passing.catchUp(at(2), signal);
    await passing.catchUp(at(4), signal);
    expect(passing).toMatchObject(at(4));
    const held = (kind: BlobKind): string[] => [...cached.keys()].filter((sha256) => kinds.get(sha256) === kind);
    expect(held('outer-step')).toEqual([windows[2]!.outerStep!.sha256]);
    const chunks = held('checkpoint-chunk').map((sha256) => ({ sha256, bytes: cached.get(sha256)!.length }));
    const checkpoint = { run: RUN, window: 3, stateRoot: history.roots[3]!, chunks, steps: [stepOf(windows[2]!)] };
    history = { ...history, checkpoint };
    fetched = [];
    const another = createAnother();
    await another.catchUp(at(4), signal);
    expect(another).toMatchObject(at(4));
    expect(fetched).toEqual([]);
  });

  test('goes on with steps that there is no room to store, and says so', async () => {
    await replica.catchUp(at(1), signal);
    full = new Set(['outer-step', 'checkpoint-chunk']);
    await replica.catchUp(at(4), signal);
    expect(replica).toMatchObject(at(4));
    expect(events).toContainEqual({
      type: 'warning',
      message: 'The model could not be stored for the next visit: no room',
    });
  });

  test('of a large model looks at the device now and then, and finds what went wrong there', async () => {
    let readings = 0;
    const device = engine;
    engine = {
      ...device,
      readParameters() {
        readings++;
        return device.readParameters();
      },
    };
    // Half of the model a window: every second time.
    const large = createAnother(2 * layout.total);
    await large.catchUp(at(1), signal);
    expect(readings).toBe(1);
    engine.held[7]! += 1;
    await large.catchUp(at(2), signal);
    expect(readings).toBe(1);
    expect(large.root).toBe(history.roots[2]);
    await large.catchUp(at(3), signal);
    expect(readings).toBe(3);
    expect(events.map((event) => (event.type === 'status' ? event.status.kind : event.type))).toContain('resyncing');
    expect(large.parameters).toEqual(engine.held);
  });

  test('whose parameters went wrong says so, and is cured by a fresh download', async () => {
    await replica.catchUp(at(2), signal);
    engine.held[7]! += 1;
    await replica.catchUp(at(3), signal);
    expect(replica).toMatchObject(at(3));
    expect(events).toContainEqual({
      type: 'status',
      status: { kind: 'resyncing', reason: expect.stringContaining('state root') as string },
    });
  });

  test('that cannot reach the root at all refuses to go on', async () => {
    await expect(replica.catchUp({ window: 3, root: history.roots[2]! }, signal)).rejects.toThrow(RootMismatchError);
    expect(replica.window).toBe(0);
    windows = windows.slice(0, 1);
    await expect(replica.catchUp(at(4), signal)).rejects.toThrow(RootMismatchError);
  });

  test('refuses a checkpoint of another model or of other chunks before it downloads any', async () => {
    const { checkpoint } = history;
    const forgeries: Checkpoint[] = [
      { ...checkpoint, chunks: checkpoint.chunks.slice(1) },
      { ...checkpoint, chunks: checkpoint.chunks.toReversed() },
      { ...checkpoint, run: '1'.repeat(32) },
    ];
    for (const forged of forgeries) {
      history = { ...history, checkpoint: forged };
      await expect(replica.catchUp(at(4), signal)).rejects.toThrow(UnreachableError);
    }
    expect(fetched).toEqual([]);
  });
});
