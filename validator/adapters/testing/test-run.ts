/** A tiny real run for tests: real engine, real scheme, real folder; only the time and the keys are made up. */
import { createHash } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { assignedPages, sampleDigest } from '../../../core/data/assignment.ts';
import { encodePage, encodePageIndex, pageBatch, pageFormat } from '../../../core/data/pages.ts';
import { syncPositions } from '../../../core/gauntlet/sync.ts';
import { canonicalBytes } from '../../../core/identity/canonical.ts';
import { memorySigner, signHex, type Signer } from '../../../core/identity/signing.ts';
import { encodeAddress } from '../../../core/identity/ss58.ts';
import { stateRoot } from '../../../core/lockstep/state-root.ts';
import { initialParameters } from '../../../core/model/initialise.ts';
import { REFERENCE_DECOUPLED_MOMENTUM, REFERENCE_GAUNTLET } from '../../../core/model/presets.ts';
import { createRandom, seedFrom } from '../../../core/numerics/prng.ts';
import type { ClockState, Delegation, JoinRequest, TicketRequest } from '../../../core/protocol/api.ts';
import type { ContributionHeader } from '../../../core/protocol/contribution.ts';
import type { RunManifest } from '../../../core/protocol/manifest.ts';
import { encodeContribution } from '../../../core/wire/contribution.ts';
import type { Trainer } from '../../../engine/engine.ts';
import type { HostEvaluator } from '../../../engine/host-engine.ts';
import { createNodeEvaluator, createNodeTrainer } from '../../../engine/node.ts';
import { createRun } from '../../rounds/create-run.ts';
import { createLocalJudgeEngine, type LocalJudgeParts } from '../../rounds/local-judge-engine.ts';
import { loadParameters } from '../../rounds/parameters.ts';
import type { RunChain, Clock, JudgeEngineFactory, Log, Metrics } from '../../rounds/ports.ts';
import { openRounds, type Rounds } from '../../rounds/rounds.ts';
import type { RoundsOptions } from '../../rounds/service.ts';
import type { Places } from '../places.ts';
import { nodeDigest, openRunFolder, type RunFolder } from '../run-folder.ts';

export const START = Date.parse('2026-01-01T00:00:00.000Z');
const TRAIN_PAGES = 60;
const HELD_OUT_PAGES = 4;

export const TEST_MODEL: RunManifest['model'] = {
  vocabSize: 32,
  hiddenSize: 16,
  intermediateSize: 32,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 1,
  headDim: 8,
  contextLength: 16,
  ropeTheta: 10_000,
  rmsNormEps: 1e-6,
  tieWordEmbeddings: true,
  initializerRange: 0.02,
};

const TEST_GAUNTLET: RunManifest['gauntlet'] = { ...REFERENCE_GAUNTLET, activeWindows: 2, resetAfterWindows: 4 };

/** A clock that moves when told to; sleepers wake when it passes them. */
export class FakeClock implements Clock {
  time = START;
  #sleepers: { at: number; wake: () => void }[] = [];

  now = (): number => this.time;

  /** When the first sleeper is due; undefined while everybody works. */
  get wakesAt(): number | undefined {
    return this.#sleepers.length === 0 ? undefined : Math.min(...this.#sleepers.map(({ at }) => at));
  }

  sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const sleeper = { at: this.time + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
    });

  moveTo(time: number | string): void {
    this.time = typeof time === 'string' ? Date.parse(time) : time;
    const due = this.#sleepers.filter(({ at }) => at <= this.time);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.time);
    for (const { wake } of due) wake();
  }
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const noMetrics: Metrics = {
  accepted: () => undefined,
  refused: () => undefined,
  judged: () => undefined,
  judgeFailed: () => undefined,
};

/** Sentences of a small grammar: each token mostly decides the next, so there is something to learn. */
function testPages(manifest: Parameters<typeof pageFormat>[0]): Uint8Array<ArrayBuffer>[] {
  const format = pageFormat(manifest);
  const random = createRandom(seedFrom('test pages'));
  return Array.from({ length: TRAIN_PAGES + HELD_OUT_PAGES }, () => {
    let token = random.below(TEST_MODEL.vocabSize);
    const ids = Array.from({ length: format.sequences * format.length }, () => {
      token = random.uniform() < 0.8 ? (token * 5 + 3) % TEST_MODEL.vocabSize : random.below(TEST_MODEL.vocabSize);
      return token;
    });
    return encodePage(ids, format);
  });
}

let template: Promise<string> | undefined;

/**
 * Puts the run into an empty folder. It is made once and copied: hundreds of synced files take their time.
 *
 * @param gauntlet other parameters than the paper profile's with short absences, for a run that is written anew
 * @param chain that a run which is written anew hangs on
 */
export async function createTestRun(
  dir: string,
  gauntlet?: RunManifest['gauntlet'],
  chain?: RunManifest['chain'],
): Promise<void> {
  if (gauntlet || chain) return writeTestRun(dir, gauntlet, chain);
  template ??= makeTemplate();
  copyRun(await template, dir);
}

/** Copies a closed run. The library may remove the (by then empty) log of its database at any time. */
export function copyRun(from: string, to: string): void {
  // A hundred small files are copied nine times as fast in one go as by promises.
  cpSync(from, to, { recursive: true, filter: (path) => !/-(wal|shm)$/.test(path) });
}

async function makeTemplate(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gauntlet-template-'));
  process.on('exit', () => {
    rmSync(dir, { recursive: true, force: true });
  });
  await writeTestRun(dir);
  return dir;
}

/** @param places where the run is kept but for its key, if not in the folder */
export async function writeTestRun(
  dir: string,
  gauntlet: RunManifest['gauntlet'] = TEST_GAUNTLET,
  chain?: RunManifest['chain'],
  places?: Places,
  window: RunManifest['window'] = { trainSeconds: 6, putSeconds: 3 },
): Promise<void> {
  // The run's id follows from the key, and every draw from that: another key is another run.
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'validator.key'), seedFrom('the validator'), { mode: 0o600 });
  const folder = await openRunFolder(dir, places);
  const parameters = initialParameters(TEST_MODEL, seedFrom('test'));
  const shape = { model: TEST_MODEL, tokenizer: { vocabSize: 32 }, data: { pageSequences: 2, tokenBytes: 2 as const } };
  const pages = await Promise.all(testPages(shape).map((page) => folder.blobs.put(page)));
  const chunkBytes = 4_096;
  const manifest: RunManifest = {
    protocol: 1,
    name: 'test',
    createdAt: new Date(START).toISOString(),
    preset: 'test',
    model: TEST_MODEL,
    tokenizer: { ...(await folder.blobs.put(new TextEncoder().encode('{}'))), vocabSize: 32 },
    data: {
      index: await folder.blobs.put(encodePageIndex(pages.map(({ sha256 }) => sha256))),
      pages: pages.length,
      heldOutPages: HELD_OUT_PAGES,
      pageSequences: 2,
      tokenBytes: 2,
      description: 'made up',
      licence: 'none',
    },
    scheme: {
      ...REFERENCE_DECOUPLED_MOMENTUM,
      learningRate: 8e-3,
      warmupWindows: 0,
      cosineWindows: 100,
      chunk: 16,
      topK: 8,
    },
    gauntlet,
    training: { pagesPerWindow: 4 },
    window,
    checkpoint: {
      chunkBytes,
      initialRoot: (await stateRoot(parameters, chunkBytes, nodeDigest)).root,
      everyWindows: 2,
    },
    guests: true,
    ...(chain ? { chain } : {}),
    validator: { publicKey: bytesToHex(folder.signer.publicKey) },
  };
  const ports = { ...folder, randomBytes: fixedBytes, clock: new FakeClock() };
  await createRun(ports, manifest, parameters);
  await folder.close();
}

/** The same secret each time, so that a run repeats whatever happens to it. */
export const fixedBytes = (): Uint8Array => seedFrom('the same secret');

let trainer: Promise<Trainer> | undefined;
let evaluator: Promise<HostEvaluator> | undefined;

/** One compiled evaluator for all reopenings: disposing of it is left to the process. */
const sharedEvaluator: LocalJudgeParts['createEvaluator'] = async (options) => {
  evaluator ??= createNodeEvaluator({ ...options, intraOpThreads: 1 });
  const shared = await evaluator;
  return { ...shared, dispose: () => Promise.resolve() };
};

export const sharedEngine: JudgeEngineFactory = (run) =>
  createLocalJudgeEngine(run, { createEvaluator: sharedEvaluator, digest: nodeDigest });

export interface OpenTestRun {
  readonly folder: RunFolder;
  readonly rounds: Rounds;
  close(): Promise<void>;
}

/**
 * @param wrap stands between the rounds and the folder's ports
 * @param createJudgeEngine by default in this thread
 */
export async function openTestRun(
  dir: string,
  clock: Clock,
  wrap: (ports: RunFolder) => RunFolder = (ports) => ports,
  createJudgeEngine: JudgeEngineFactory = sharedEngine,
  options: RoundsOptions = { maxPeers: 50 },
  chain?: RunChain,
): Promise<OpenTestRun> {
  const folder = await openRunFolder(dir);
  try {
    const rounds = await openRounds(
      {
        ...wrap(folder),
        clock,
        log: silentLog,
        metrics: noMetrics,
        createJudgeEngine,
        randomBytes: fixedBytes,
        ...(chain ? { chain } : {}),
      },
      options,
    );
    return { folder, rounds, close: () => folder.close() };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

export interface TestPeer {
  readonly hotkey: string;
  readonly signer: Signer;
}

export function testPeer(name: string): TestPeer {
  const signer = memorySigner(createHash('sha256').update(name).digest());
  return { signer, hotkey: encodeAddress(signer.publicKey) };
}

export async function joinRequest(
  run: string,
  { hotkey, signer }: TestPeer,
  change: Partial<Delegation> = {},
): Promise<JoinRequest> {
  const delegation: Delegation = {
    run,
    hotkey,
    sessionKey: bytesToHex(signer.publicKey),
    scopes: ['contribute'],
    issuedAt: new Date(START).toISOString(),
    expiresAt: new Date(START + 30 * 86_400_000).toISOString(),
    ...change,
  };
  return { delegation, kind: 'guest', signature: await signHex(signer, 'delegation', canonicalBytes(delegation)) };
}

export async function ticketRequest(
  clock: Pick<ClockState, 'run' | 'window'>,
  { hotkey, signer }: TestPeer,
  bytes: Uint8Array<ArrayBuffer>,
  change: Partial<TicketRequest['ticket']> = {},
): Promise<TicketRequest> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const ticket = { run: clock.run, window: clock.window, hotkey, sha256, bytes: bytes.length, ...change };
  return { ticket, signature: await signHex(signer, 'ticket', canonicalBytes(ticket)) };
}

export interface ContributionChange {
  readonly header?: Partial<ContributionHeader>;
  readonly gradient?: (gradient: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
  readonly body?: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

/** What an honest peer uploads in the open window, really trained, unless it is changed. */
export async function contributionOf(
  { rounds, folder }: OpenTestRun,
  { hotkey, signer }: TestPeer,
  change: ContributionChange = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { context } = rounds;
  const { run, window, stateRoot: root, assignmentSeed } = rounds.clock();
  const { manifest, scheme, pages } = context;
  const parameters = await loadParameters(context, folder, root);
  trainer ??= createNodeTrainer({ config: manifest.model, sequences: manifest.data.pageSequences, intraOpThreads: 1 });
  const engine = await trainer;
  await engine.setParameters(parameters);
  const assigned = assignedPages(assignmentSeed, hotkey, pages.train, manifest.training.pagesPerWindow);
  const hashes = assigned.map((page) => pages.hashes[page]!);
  for (const hash of hashes) await engine.accumulate(pageBatch((await folder.blobs.read(hash))!, pages.format));
  const gradient = (change.gradient ?? ((same) => same))(await engine.takeGradient());
  const body = scheme.createContributor().compress(gradient, scheme.learningRate(window));
  const header: ContributionHeader = {
    run,
    window,
    hotkey,
    scheme: scheme.name,
    root,
    pagesTrained: hashes.length,
    sampleDigest: sampleDigest(hashes),
    trainLoss: 3,
    syncSample: syncPositions(window, hotkey, scheme.layout).map((position) => parameters[position]!),
    ...change.header,
  };
  return encodeContribution(header, (change.body ?? ((same) => same))(body), signer);
}

/** Joins and delivers through the service, in the put phase. */
export async function deliver(
  run: OpenTestRun,
  peer: TestPeer,
  bytes: Uint8Array<ArrayBuffer>,
): ReturnType<Rounds['receive']> {
  const { rounds } = run;
  const clock = rounds.clock();
  const { url } = await rounds.ticket(clock.window, await ticketRequest(clock, peer, bytes));
  return rounds.receive(url.split('/').at(-1)!, bytes.length, new Blob([bytes]).stream());
}

/** A random direction in place of a gradient. */
export function noiseGradient(seed: string): (gradient: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer> {
  const random = createRandom(seedFrom('noise', seed));
  return (gradient) => gradient.map(() => random.uniform() - 0.5);
}
