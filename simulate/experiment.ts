/**
 * A whole run in one process and in virtual time: the production validator behind its HTTP API, contributors on the
 * real engine, everything seeded. As fast as its arithmetic, and the same from one time to the next.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Behaviour } from '../client/behaviour.ts';
import { createContributor, type Contributor } from '../client/contributor.ts';
import type { ContributorEvent } from '../client/events.ts';
import { guestIdentity } from '../client/identity.ts';
import { microBatchSequences } from '../client/micro-batch.ts';
import type { ContributorPorts, OptimiserStore } from '../client/ports.ts';
import { memorySigner, type Signer } from '../core/identity/signing.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import { PRESETS, type PresetName } from '../core/model/presets.ts';
import { createRandom, seedFrom } from '../core/numerics/prng.ts';
import type { PeerState, WindowRecord } from '../core/protocol/api.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import { createNodeEvaluator, createNodeTrainer } from '../engine/node.ts';
import { createMetrics } from '../validator/adapters/metrics.ts';
import { openRunFolder, type RunFolder } from '../validator/adapters/run-folder.ts';
import { createApp } from '../validator/http/app.ts';
import { createRun } from '../validator/rounds/create-run.ts';
import { createLocalJudgeEngine } from '../validator/rounds/local-judge-engine.ts';
import { openRounds } from '../validator/rounds/rounds.ts';
import { createRunArtefacts } from '../validator/setup/create-artefacts.ts';
import { DEFAULT_CACHE } from '../validator/setup/data-cache.ts';
import { createBehaviours, membersOfCrowd, type PeerKind } from './attacks/crowd.ts';
import type { AttackName } from './attacks/gallery.ts';
import { memoryBlobCache } from './node-ports.ts';
import { createVirtualTime, type Participant } from './virtual-time.ts';

/** When every experiment begins. */
const EPOCH = Date.UTC(2025, 0, 1);
const ADDRESS = 'http://experiment.invalid';
const MAX_PEERS = 1_000;

export interface ExperimentOptions {
  readonly preset: PresetName;
  /** Of the run. */
  readonly name?: string;
  readonly windows: number;
  readonly honest: number;
  /** What each attacker does; a number takes the gallery in turn. */
  readonly attackers: number | readonly AttackName[];
  /** Pages a peer trains a window. */
  readonly pages: number;
  /** Pages of those that train more or fewer, by name. */
  readonly pagesOf?: Readonly<Record<string, number>>;
  /** The last window of those that leave, by name. */
  readonly leavesAfter?: Readonly<Record<string, number>>;
  /** Uids that there are. */
  readonly maxPeers?: number;
  readonly seed: string;
  /** Departures from the preset. */
  readonly scheme?: RunManifest['scheme'];
  readonly gauntlet?: RunManifest['gauntlet'];
  readonly intraOpThreads?: number;
  readonly onWindow?: (record: WindowRecord) => void;
  /** What a peer stands on instead of its own ports: devices that take their time or fail. */
  readonly portsOf?: (
    ports: ContributorPorts,
    peer: { readonly name: string; readonly time: Participant },
  ) => ContributorPorts;
  /** Called when the last window is published, while the validator still answers. */
  readonly onEnd?: (validator: {
    readonly url: string;
    readonly fetch: typeof fetch;
    readonly signer: Signer;
  }) => Promise<void>;
  readonly onEvent?: (
    event: ContributorEvent,
    peer: { readonly name: string; readonly contributor: Contributor },
  ) => void;
}

export interface ExperimentPeer {
  readonly name: string;
  readonly kind: PeerKind;
  readonly state: PeerState;
}

export interface ExperimentResult {
  /** Oldest first. */
  readonly windows: readonly WindowRecord[];
  /** Those that have a uid at the end. */
  readonly peers: readonly ExperimentPeer[];
}

/** Keys, secrets and draws all follow from the experiment's seed. */
function seededBytes(seed: string, label: string): () => Uint8Array<ArrayBuffer> {
  const random = createRandom(seedFrom(seed), label);
  return () => Uint8Array.from({ length: 32 }, () => random.below(256));
}

function memoryOptimiserStore(): OptimiserStore {
  let held: Awaited<ReturnType<OptimiserStore['load']>>;
  return {
    load: () => Promise.resolve(held),
    save: (_run, _hotkey, state) => {
      held = state;
      return Promise.resolve();
    },
  };
}

async function createSeededRun(folder: RunFolder, options: ExperimentOptions, time: Participant): Promise<void> {
  const preset = PRESETS[options.preset];
  const { manifest, initialParameters } = await createRunArtefacts({
    preset: options.preset,
    seed: new TextEncoder().encode(options.seed),
    blobs: folder.blobs,
    cacheDir: DEFAULT_CACHE,
  });
  const clock = { now: time.now, sleep: time.sleep };
  await createRun(
    { ...folder, clock },
    {
      ...manifest,
      scheme: options.scheme ?? preset.scheme,
      gauntlet: options.gauntlet ?? preset.gauntlet,
      name: options.name ?? 'experiment',
      guests: true,
      createdAt: new Date(EPOCH).toISOString(),
      validator: { publicKey: Buffer.from(folder.signer.publicKey).toString('hex') },
    },
    initialParameters,
  );
}

function leaving(lastWindow = Infinity): Behaviour {
  return lastWindow === Infinity ? {} : { takesPart: (window) => window <= lastWindow };
}

/** Runs an experiment to its end. @throws Error when a peer fails in a way that an experiment should not provoke */
export async function runExperiment(options: ExperimentOptions): Promise<ExperimentResult> {
  const path = await mkdtemp(join(tmpdir(), 'gauntlet-experiment-'));
  try {
    return await runIn(path, options);
  } finally {
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runIn(path: string, options: ExperimentOptions): Promise<ExperimentResult> {
  const { seed, intraOpThreads = 1 } = options;
  const time = createVirtualTime(EPOCH);
  const validatorTime = time.join();
  const opened = await openRunFolder(path);
  const folder: RunFolder = {
    ...opened,
    signer: memorySigner(seededBytes(seed, 'validator')()),
    randomBytes: seededBytes(seed, 'secrets'),
  };
  await createSeededRun(folder, options, validatorTime);
  const log = pino({ level: 'silent' });
  const signed = (await folder.store.run())!;
  const metrics = createMetrics(signed.run);
  const rounds = await openRounds(
    {
      ...folder,
      clock: { now: validatorTime.now, sleep: validatorTime.sleep },
      log,
      metrics,
      createJudgeEngine: (run) =>
        createLocalJudgeEngine(run, {
          createEvaluator: (shape) => createNodeEvaluator({ ...shape, intraOpThreads }),
          digest: folder.digest,
        }),
    },
    { maxPeers: options.maxPeers ?? MAX_PEERS },
  );
  const api = createApp({
    service: rounds,
    blobs: folder.blobs,
    corsOrigins: '*',
    onError: (error) => failures.push(error),
  });
  const failures: unknown[] = [];
  const appFetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    // A socket would have made this header of the body.
    if (init?.body instanceof Uint8Array) request.headers.set('content-length', String(init.body.byteLength));
    return api.app.fetch(request);
  };

  const behaviourOf = createBehaviours(ADDRESS, seed);
  const peers = membersOfCrowd(options.honest, options.attackers).map((member) => {
    const { name, kind } = member;
    const self = time.join();
    const signer = memorySigner(seededBytes(seed, name)());
    const hotkey = encodeAddress(signer.publicKey);
    const ports: ContributorPorts = {
      identity: guestIdentity(signer),
      blobs: memoryBlobCache(),
      optimiser: memoryOptimiserStore(),
      createTrainer: ({ config, pageSequences }) =>
        createNodeTrainer({ config, sequences: microBatchSequences(pageSequences), intraOpThreads }),
      fetch: appFetch,
      now: self.now,
      sleep: self.sleep,
    };
    const contributor = createContributor({
      validatorUrl: ADDRESS,
      ports: options.portsOf?.(ports, { name, time: self }) ?? ports,
      maxPages: options.pagesOf?.[name] ?? options.pages,
      behaviour: { ...behaviourOf(member, hotkey, ports), ...leaving(options.leavesAfter?.[name]) },
      onEvent(event) {
        if (event.type === 'status' && event.status.kind === 'failed') failures.push(new Error(event.status.reason));
        options.onEvent?.(event, { name, contributor });
      },
    });
    return { name, kind, hotkey, contributor, self };
  });

  const windows: WindowRecord[] = [];
  const finished = new Promise<void>((resolve, reject) => {
    rounds.subscribe((event) => {
      if (event.type !== 'window') return;
      void rounds.window(event.window.window).then((record) => {
        windows.push(record);
        options.onWindow?.(record);
        if (failures.length > 0) reject(new Error('something failed that should not have', { cause: failures[0] }));
        if (windows.length >= options.windows) resolve();
      }, reject);
    });
  });
  // One after another, so that who finds the run full is the last, and always the same.
  const running = Promise.all(
    peers.map(async ({ contributor, self }, i) => {
      if (i > 0) await self.sleep(i);
      await contributor.run().finally(self.leave);
    }),
  );
  rounds.start();
  try {
    await finished;
    await options.onEnd?.({ url: ADDRESS, fetch: appFetch, signer: folder.signer });
    const admitted = new Set((await folder.store.peers()).map(({ hotkey }) => hotkey));
    const states = await Promise.all(
      peers
        .filter(({ hotkey }) => admitted.has(hotkey))
        .map(async ({ name, kind, hotkey }) => ({ name, kind, state: await rounds.peer(hotkey) })),
    );
    return { windows, peers: states };
  } finally {
    for (const { contributor } of peers) contributor.stop();
    const stopped = rounds.stop().finally(validatorTime.leave);
    await Promise.all([running, stopped]);
    api.close();
    await opened.close();
  }
}
