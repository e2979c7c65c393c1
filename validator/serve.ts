/** Puts a validator together: the rounds over a run's folder, the API over the rounds, a socket under the API. */
import { getConnInfo } from '@hono/node-server/conninfo';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ChainSigner } from '../chain/types.ts';
import type { WindowSummary } from '../core/protocol/api.ts';
import type { RunManifest, SignedManifest } from '../core/protocol/manifest.ts';
import type { BlobRef } from '../core/protocol/primitives.ts';
import { startWeightSetter } from './adapters/chain/weight-setter.ts';
import { startRecorder } from './adapters/chain/recorder.ts';
import { followRunChain, type LiveChain } from './adapters/chain/run-chain.ts';
import { createJudgePool } from './adapters/judge-pool.ts';
import { createLog } from './adapters/log.ts';
import { createMetrics } from './adapters/metrics.ts';
import { listen } from './adapters/node-server.ts';
import { openRunFolder, readRunFolder, type RunFolder } from './adapters/run-folder.ts';
import { mountStatic } from './adapters/static.ts';
import { systemClock } from './adapters/system-clock.ts';
import { createApp } from './http/app.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import { loadContext } from './rounds/context.ts';
import { createRun } from './rounds/create-run.ts';
import { loadParameters } from './rounds/parameters.ts';
import type { Clock, JudgeEngineFactory, Log } from './rounds/ports.ts';
import { openRounds, type Rounds } from './rounds/rounds.ts';

/** Guests cost nothing to make: this bounds what one address and all of them together can. */
const DEFAULT_MAX_PEERS = 10_000;
const DEFAULT_JOINS = { burst: 60, perMinute: 30 };
const READ_ATTEMPTS = 5;

/** What a run is made of before its first window; blobs are put where they belong already. */
export interface RunSeed {
  readonly name: string;
  readonly guests: boolean;
  readonly manifest: Omit<RunManifest, 'name' | 'createdAt' | 'guests' | 'validator'>;
  /** θ_1. */
  readonly initialParameters: Float32Array<ArrayBuffer>;
}

export interface SeedContext {
  readonly blobs: { put(bytes: Uint8Array<ArrayBuffer>): Promise<BlobRef> };
}

/**
 * The run of a folder, made first when there is none.
 *
 * @param create is called for an empty folder only
 * @returns the signed manifest, and whether it was made now
 * @throws FolderInUseError when a validator has the folder; whatever `create` throws
 */
export async function openOrCreateRun(
  dataDir: string,
  create: (context: SeedContext) => Promise<RunSeed>,
  clock: Clock = systemClock,
): Promise<{ signed: SignedManifest; created: boolean }> {
  const folder = await openRunFolder(dataDir);
  try {
    const existing = await folder.store.run();
    if (existing) return { signed: existing, created: false };
    const { name, guests, manifest, initialParameters } = await create({ blobs: folder.blobs });
    const whole: RunManifest = {
      ...manifest,
      name,
      guests,
      createdAt: new Date(clock.now()).toISOString(),
      validator: { publicKey: bytesToHex(folder.signer.publicKey) },
    };
    return { signed: await createRun({ ...folder, clock }, whole, initialParameters), created: true };
  } finally {
    await folder.close();
  }
}

export interface NewestParameters {
  readonly signed: SignedManifest;
  /** The window that trains from them. */
  readonly window: number;
  readonly stateRoot: string;
  readonly parameters: Float32Array<ArrayBuffer>;
  /** The run's tokenizer.json. */
  readonly tokenizerJson: Uint8Array<ArrayBuffer>;
}

/** The newest verified parameters of a folder, while a validator runs on it or not. @throws CorruptRunError */
export async function readNewestParameters(dataDir: string): Promise<NewestParameters> {
  const folder = await readRunFolder(dataDir);
  try {
    const context = await loadContext(folder);
    for (let attempt = 1; ; attempt++) {
      const { window, stateRoot } = await folder.store.openWindow();
      try {
        const parameters = await loadParameters(context, folder, stateRoot);
        const tokenizerJson = await folder.blobs.read(context.manifest.tokenizer.sha256);
        if (!tokenizerJson) throw new Error('the tokenizer is missing');
        return { signed: context.signed, window, stateRoot, parameters, tokenizerJson };
      } catch (error) {
        // A window may have been published between the two reads.
        if (attempt === READ_ATTEMPTS || (await folder.store.openWindow()).window === window) throw error;
      }
    }
  } finally {
    await folder.store.close();
  }
}

export interface ValidatorOptions {
  readonly dataDir: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  /** Origins whose pages may call the API; by default any, since the API holds nothing of a browser's (no cookies). */
  readonly corsOrigins?: '*' | readonly string[];
  /** The built app, served at /. */
  readonly staticDir?: string;
  /** Where the served page may connect to besides its own origin. */
  readonly connectSources?: readonly string[];
  readonly log?: Log;
  readonly clock?: Clock;
  /** By default on threads of its own. */
  readonly createJudgeEngine?: JudgeEngineFactory;
  readonly maxPeers?: number;
  /** Tells the run's chain its weights, once an epoch; for a run with a chain. */
  readonly weights?: { readonly signer: ChainSigner; readonly burnUid?: number };
  /** Joins that one address may make. */
  readonly joins?: { readonly burst: number; readonly perMinute: number };
}

export interface Validator {
  /** http://host:port */
  readonly url: string;
  readonly run: SignedManifest;
  readonly rounds: Rounds;
  /** Called for each window published. @returns stops it */
  onWindow(listener: (window: WindowSummary) => void): () => void;
  /** Stops after what is being done now; a window that is being judged is published first. */
  close(): Promise<void>;
}

/**
 * Opens a folder's run and serves it.
 *
 * @throws FolderInUseError, CorruptRunError, or Error when the port is taken
 */
export async function createValidator(options: ValidatorOptions): Promise<Validator> {
  const folder = await openRunFolder(options.dataDir);
  try {
    return await serveFolder(folder, options);
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** What happens on the chain besides windows: readings of the metagraph, and weights where there is a key. @returns stops it */
function workOnChain(
  chain: LiveChain,
  rounds: Rounds,
  folder: RunFolder,
  options: ValidatorOptions,
  log: Log,
): () => Promise<void> {
  const { weights, clock = systemClock } = options;
  const { netuid } = rounds.manifest().manifest.chain!;
  const leaderboard = (): ReturnType<Rounds['leaderboard']> => rounds.leaderboard();
  const started = chain.connection.then((connection) => {
    const common = { chain: connection, netuid, leaderboard, log };
    const stopRecorder = startRecorder({ ...common, store: folder.store });
    const setter = weights && startWeightSetter({ ...common, ...weights, now: () => clock.now() });
    if (setter) chain.reportWeights(() => setter.state());
    return () => Promise.all([stopRecorder(), setter?.stop()]);
  });
  // A chain that never answered has nothing to stop.
  const stop = started.then(
    (ready) => ready,
    () => () => Promise.resolve([]),
  );
  return async () => {
    // Closing ends the waiting for a transaction's finality, too: the chain remembers what came in.
    await chain.close();
    await (
      await stop
    )();
  };
}

async function serveFolder(folder: RunFolder, options: ValidatorOptions): Promise<Validator> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLog('info');
  const { run, manifest } = await loadContext(folder);
  const metrics = createMetrics(run);
  const now = (): number => clock.now();
  const chain = manifest.chain && followRunChain({ parameters: manifest.chain, now, log });
  if (chain) metrics.follow(chain, now);
  const createJudgeEngine = options.createJudgeEngine ?? createJudgePool;
  const rounds = await openRounds(
    { ...folder, clock, log, metrics, createJudgeEngine, ...(chain ? { chain } : {}) },
    { maxPeers: options.maxPeers ?? DEFAULT_MAX_PEERS },
  ).catch(async (error: unknown) => {
    await chain?.close();
    throw error;
  });
  const api = createApp({
    service: rounds,
    blobs: folder.blobs,
    corsOrigins: options.corsOrigins ?? '*',
    metrics,
    addressOf: (c) => getConnInfo(c).remote.address ?? 'unknown',
    joins: createRateLimiter(options.joins ?? DEFAULT_JOINS, now),
    onError: (error, path) => {
      log.error({ run, err: error, path }, 'a request failed');
    },
  });
  if (options.staticDir !== undefined) {
    mountStatic(api.app, { dir: options.staticDir, connectSources: options.connectSources ?? [] });
  }
  const stopChain = chain && workOnChain(chain, rounds, folder, options, log);
  const server = await listen(api.app, options).catch(async (error: unknown) => {
    await stopChain?.();
    throw error;
  });
  rounds.start();
  log.info({ run, url: server.url, window: rounds.clock().window }, 'validator started');
  return {
    url: server.url,
    run: rounds.manifest(),
    rounds,
    onWindow: (listener) =>
      rounds.subscribe((event) => {
        if (event.type === 'window') listener(event.window);
      }),
    async close() {
      api.close();
      await Promise.all([server.close(), rounds.stop(), stopChain?.()]);
      await folder.close();
      log.info({ run }, 'validator stopped');
    },
  };
}
