/** Puts a validator together: the rounds over a run's folder, the API over the rounds, a socket under the API. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ChainSigner } from '../chain/types.ts';
import type { WindowSummary } from '../core/protocol/api.ts';
import type { RunManifest, SignedManifest } from '../core/protocol/manifest.ts';
import type { BlobRef } from '../core/protocol/primitives.ts';
import { createCallers, createOperatorCheck, parseNetworks, readToken } from './adapters/callers.ts';
import { startWeightSetter } from './adapters/chain/weight-setter.ts';
import { startRecorder } from './adapters/chain/recorder.ts';
import { followRunChain, type LiveChain } from './adapters/chain/run-chain.ts';
import { createJudgePool } from './adapters/judge-pool.ts';
import { createLog, runLog, type RunLog } from './adapters/log.ts';
import { diskRoom } from './adapters/disk.ts';
import { createMetrics } from './adapters/metrics.ts';
import { listen, type ServerLimits } from './adapters/node-server.ts';
import { observedBlobs, observedStore } from './adapters/observed.ts';
import type { Places } from './adapters/places.ts';
import type { JobQueue } from './adapters/postgres/evaluation-jobs.ts';
import { openRunFolder, openSharedRun, readRunFolder, type RunFolder } from './adapters/run-folder.ts';
import { mountStatic } from './adapters/static.ts';
import { systemClock } from './adapters/system-clock.ts';
import { createApp, type HttpOptions } from './http/app.ts';
import { createLimits, DEFAULT_RATES, type Limits, type Rates } from './http/limits.ts';
import { memoryRates } from './http/rate-limit.ts';
import type { ValidatorService } from './http/validator-service.ts';
import { loadContext, type RoundsPorts } from './rounds/context.ts';
import { createRun } from './rounds/create-run.ts';
import { DEFAULT_GUEST_LIMITS, type GuestLimits } from './rounds/guests.ts';
import { openFollower } from './rounds/follower.ts';
import { loadParameters } from './rounds/parameters.ts';
import type { Clock, JudgeEngineFactory, Log } from './rounds/ports.ts';
import { openRounds, type Rounds } from './rounds/rounds.ts';
import type { RoundsOptions } from './rounds/service.ts';
import { createSharedJudgeEngine } from './rounds/shared-judge-engine.ts';
import { openSuccession } from './rounds/succession.ts';

/** Guests cost nothing to make: this bounds what one address and all of them together can. */
const DEFAULT_MAX_PEERS = 10_000;
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
  { places = {}, clock = systemClock }: { readonly places?: Places; readonly clock?: Clock } = {},
): Promise<{ signed: SignedManifest; created: boolean }> {
  const folder = await openRunFolder(dataDir, places);
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
export async function readNewestParameters(dataDir: string, places?: Places): Promise<NewestParameters> {
  const folder = await readRunFolder(dataDir, places);
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
    await folder.close();
  }
}

export interface ValidatorOptions {
  readonly dataDir: string;
  /** Where the run is kept but for the folder. */
  readonly places?: Places;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  /** Other bounds on connections than the usual ones. */
  readonly limits?: Partial<ServerLimits>;
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
  /** Other bounds on guests than the usual ones. */
  readonly guests?: Partial<GuestLimits>;
  /** Tells the run's chain its weights, once an epoch; for a run with a chain. */
  readonly weights?: { readonly signer: ChainSigner; readonly burnUid?: number };
  /** Joins that one address may make. */
  readonly joins?: Rates['joins'];
  /** Other bounds on how often callers may ask than the usual ones. */
  readonly rates?: Partial<Rates>;
  /** Addresses and networks, separated by commas, of the proxies whose word on whom they forward is taken. */
  readonly trustedProxies?: string;
  /** File with the token that lets an operator in from anywhere, and nobody without it. */
  readonly operatorTokenFile?: string;
}

export interface Validator {
  /** http://host:port */
  readonly url: string;
  readonly run: SignedManifest;
  readonly service: ValidatorService;
  /** Called for each window published. @returns stops it */
  onWindow(listener: (window: WindowSummary) => void): () => void;
  /** Stops after what is being done now; a window that is being judged is published first. */
  close(): Promise<void>;
}

/**
 * Opens a run and serves it, driving its windows unless another process does.
 *
 * @throws FolderInUseError, CorruptRunError, or Error when the port is taken
 */
export async function createValidator(options: ValidatorOptions): Promise<Validator> {
  const log = runLog(options.log ?? createLog('info'));
  const folder = await openRunFolder(options.dataDir, options.places, log);
  // Evaluators read uploads where the judge does.
  const withJobs = folder.shared && folder.uploads.direct;
  return serving(withJobs ? await openWithJobs(folder) : folder, { ...options, log }, rolesOf);
}

type ServedRun = RunFolder & { readonly jobs?: JobQueue };

async function openWithJobs(folder: RunFolder): Promise<ServedRun> {
  try {
    const jobs = await folder.shared!.openJobs();
    return {
      ...folder,
      jobs,
      async close() {
        await jobs.close();
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/**
 * Serves a run that another process drives: one of any number of them behind a proxy.
 *
 * @throws PlacesError for a run that one process alone can be at; as `createValidator`
 */
export async function createApiServer(options: ValidatorOptions & { readonly places: Places }): Promise<Validator> {
  const log = runLog(options.log ?? createLog('info'));
  const folder = await openSharedRun(options.dataDir, options.places, log);
  return serving(folder, { ...options, log }, async (ports, limits) => {
    const follower = await openFollower(ports, folder.shared.news, limits);
    return { service: follower, start: () => undefined, stop: () => follower.close() };
  });
}

/** What this process is of the run, as long as it lasts. */
interface Role {
  readonly service: ValidatorService;
  start(): void;
  stop(): Promise<void>;
}

type OpenRole = (
  ports: RoundsPorts & Pick<RunFolder, 'shared'>,
  limits: RoundsOptions,
  onLead: (rounds: Rounds) => () => Promise<void>,
) => Promise<Role>;

/** The only process at the run, or one that drives it when its turn comes. */
const rolesOf: OpenRole = async (ports, limits, onLead) => {
  if (ports.shared) return openSuccession(ports, ports.shared, limits, onLead);
  const rounds = await openRounds(ports, limits);
  let endWork: (() => Promise<void>) | undefined;
  return {
    service: rounds,
    start() {
      endWork = onLead(rounds);
      rounds.start();
    },
    async stop() {
      await Promise.all([rounds.stop(), endWork?.()]);
    },
  };
};

type ServingOptions = ValidatorOptions & { readonly log: RunLog };

async function serving(folder: ServedRun, options: ServingOptions, openRole: OpenRole): Promise<Validator> {
  try {
    return await serveFolder(folder, options, openRole);
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** What happens on the chain besides windows: readings of the metagraph, and weights where there is a key. @returns stops it */
function workOnChain(
  chain: LiveChain,
  rounds: Rounds,
  { store }: Pick<RunFolder, 'store'>,
  { weights, clock = systemClock }: Pick<ValidatorOptions, 'weights' | 'clock'>,
  log: Log,
): () => Promise<void> {
  const { netuid } = rounds.manifest().manifest.chain!;
  const leaderboard = (): ReturnType<Rounds['leaderboard']> => rounds.leaderboard();
  const started = chain.connection.then((connection) => {
    const common = { chain: connection, netuid, leaderboard, log };
    const stopRecorder = startRecorder({ ...common, store });
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
    await (
      await stop
    )();
  };
}

async function serveFolder(folder: ServedRun, options: ServingOptions, openRole: OpenRole): Promise<Validator> {
  const { clock = systemClock, log } = options;
  const { run, manifest } = await loadContext(folder);
  log.ofRun(run);
  const metrics = createMetrics(run);
  const now = (): number => clock.now();
  const store = observedStore(folder.store, metrics.database);
  const { blobs, uploads } = observedBlobs(folder, metrics.blobs);
  const access = await accessOf(options);
  const chain = manifest.chain && followRunChain({ parameters: manifest.chain, now, log });
  const createLocalEngine = options.createJudgeEngine ?? createJudgePool;
  const { jobs } = folder;
  const createJudgeEngine: JudgeEngineFactory = (judged) =>
    jobs
      ? createSharedJudgeEngine(run, createLocalEngine(judged), jobs, { ...folder, log })
      : createLocalEngine(judged);
  let drives = false;
  /** What only the process does that drives the windows. */
  const onLead = (rounds: Rounds): (() => Promise<void>) => {
    drives = true;
    metrics.tookOver();
    const endWork = chain && workOnChain(chain, rounds, folder, options, log);
    return async () => {
      drives = false;
      metrics.handedOver();
      await endWork?.();
    };
  };
  const role = await openRole(
    { ...folder, store, blobs, uploads, clock, log, metrics, createJudgeEngine, ...(chain ? { chain } : {}) },
    {
      maxPeers: options.maxPeers ?? DEFAULT_MAX_PEERS,
      guests: { ...DEFAULT_GUEST_LIMITS, ...options.guests },
    },
    onLead,
  ).catch(async (error: unknown) => {
    await chain?.close();
    throw error;
  });
  const { service } = role;
  const stopRole = async (): Promise<void> => {
    // Closing ends the waiting for a transaction's finality, too: the chain remembers what came in.
    await chain?.close();
    await role.stop();
  };
  const api = createApp({
    service,
    blobs,
    corsOrigins: options.corsOrigins ?? '*',
    metrics,
    ...access,
    limits: limitsOf(access, folder, options, now),
    onError: (error, path) => {
      log.error({ run, err: error, path }, 'a request failed');
    },
    onAnswer: (answer) => metrics.answered(answer),
  });
  if (options.staticDir !== undefined) {
    mountStatic(api.app, { dir: options.staticDir, connectSources: connectSourcesOf(options) });
  }
  const server = await listen(api.app, options).catch(async (error: unknown) => {
    await stopRole();
    throw error;
  });
  metrics.watch({
    now,
    service,
    drives: () => drives,
    peers: () => folder.store.peerCount(),
    listeners: () => api.listeners,
    connections: () => server.connections(),
    turnedAway: () => server.turnedAway(),
    ...(folder.isLocal ? { disk: () => diskRoom(options.dataDir) } : {}),
    ...(jobs ? { jobs: () => jobs.figures() } : {}),
    ...(chain ? { chain } : {}),
  });
  role.start();
  log.info({ run, url: server.url, window: service.clock().window }, 'validator started');
  return {
    url: server.url,
    run: service.manifest(),
    service,
    onWindow: (listener) =>
      service.subscribe((event) => {
        if (event.type === 'window') listener(event.window);
      }),
    async close() {
      log.info({ run, window: service.clock().window }, 'validator stops');
      api.close();
      await Promise.all([server.close(), stopRole()]);
      await folder.close();
      log.info({ run }, 'validator stopped');
    },
  };
}

type Access = Required<Pick<HttpOptions, 'callerOf' | 'isOperator'>>;

/** Who is who, as the operator says. @throws AccessError */
async function accessOf({ trustedProxies = '', operatorTokenFile }: ValidatorOptions): Promise<Access> {
  const proxies = parseNetworks(trustedProxies);
  const callerOf = createCallers(proxies);
  const token = operatorTokenFile === undefined ? undefined : await readToken(operatorTokenFile);
  return { callerOf, isOperator: createOperatorCheck(callerOf, { token, proxied: proxies.length > 0 }) };
}

function limitsOf(
  { callerOf }: Access,
  { shared }: Pick<RunFolder, 'shared'>,
  { rates, joins }: ValidatorOptions,
  now: () => number,
): Limits {
  const own = memoryRates(now);
  const all = { ...DEFAULT_RATES, ...rates, ...(joins ? { joins } : {}) };
  return createLimits({ callerOf, rates: all, own, shared: shared?.rates ?? own });
}

/** The page fetches blobs from the store, and PUTs uploads there. */
function connectSourcesOf({ connectSources = [], places }: ValidatorOptions): string[] {
  const bucket = places?.bucket;
  return bucket ? [...connectSources, new URL(bucket.publicUrl ?? bucket.url).origin] : [...connectSources];
}
