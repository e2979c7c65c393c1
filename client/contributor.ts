/**
 * The contributor: joins a run and, window after window, catches up, trains its assigned pages, uploads and waits for
 * the outer step. The same code runs in a tab's worker and in a simulated peer; what differs is in the ports.
 */
import { assignedPages, sampleDigest } from '../core/data/assignment.ts';
import { nextTokenBatch } from '../core/data/batch.ts';
import { syncPositions } from '../core/gauntlet/sync.ts';
import { canonicalBytes } from '../core/identity/canonical.ts';
import { signHex, verifyHex } from '../core/identity/signing.ts';
import { encodeAddress } from '../core/identity/ss58.ts';
import { parameterLayout } from '../core/model/layout.ts';
import type { ClockState, Delegation, SignedReceipt } from '../core/protocol/api.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Scheme, SchemeContributor } from '../core/scheme/scheme.ts';
import { encodeContribution } from '../core/wire/contribution.ts';
import type { Trainer } from '../engine/engine.ts';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createValidatorApi, sha256Hex, type ValidatorApi } from './api.ts';
import type { Behaviour } from './behaviour.ts';
import { EngineError, failureOf } from './failure.ts';
import type { ContributorEvent, ContributorStatus } from './events.ts';
import { UnreachableError } from './http.ts';
import { verifyManifest } from './manifest.ts';
import { openPageSource, type PageSource } from './page-source.ts';
import { StorageError, type ContributorPorts } from './ports.ts';
import { createReplica, type Replica } from './replica.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';

const DELEGATION_MS = 30 * 24 * 3_600_000;
/** A delegation is dated back a little, so that a validator whose clock is behind does not see it in the future. */
const DELEGATION_SKEW_MS = 60_000;
/** Training that could not last this long is not begun: the next window is. */
const MIN_TRAINING_MS = 1_500;
const POLL_MS = 400;
const FIRST_RETRY_SECONDS = 1;
const LAST_RETRY_SECONDS = 30;
/** The bytes must be on their way this long before the put phase closes. */
const UPLOAD_MARGIN_MS = 250;

export interface ContributorOptions {
  readonly validatorUrl: string;
  readonly ports: ContributorPorts;
  readonly onEvent: (event: ContributorEvent) => void;
  /** Duty cycle in percent, 10-100: after each micro-batch the device rests in proportion. */
  readonly throttlePercent?: number;
  /** Most pages to train a window, however many are assigned. */
  readonly maxPages?: number;
  /** Sequences a micro-batch, a divisor of the run's page; by default half a page. */
  readonly sequences?: number;
  readonly behaviour?: Behaviour;
}

export interface Contributor {
  /** Contributes until stopped or until something happens that only a person can mend; never rejects. */
  run(): Promise<void>;
  /** Ends at the next micro-batch; `run` then resolves. */
  stop(): void;
}

interface Session {
  readonly run: string;
  readonly manifest: RunManifest;
  readonly hotkey: string;
  readonly scheme: Scheme;
  readonly pages: PageSource;
  readonly replica: Replica;
  readonly compressor: SchemeContributor;
}

export function createContributor(options: ContributorOptions): Contributor {
  const { ports, onEvent } = options;
  const api = createValidatorApi({ baseUrl: options.validatorUrl, fetch: ports.fetch });
  const clock = createServerClock(api, ports.now);
  const abort = new AbortController();
  const { signal } = abort;
  let trainer: Trainer | undefined;
  let retrySeconds = FIRST_RETRY_SECONDS;

  const status = (next: ContributorStatus): void => {
    onEvent({ type: 'status', status: next });
  };

  async function compile(manifest: RunManifest): Promise<void> {
    status({ kind: 'compiling' });
    await disposeTrainer();
    const sequences = options.sequences ?? Math.max(1, manifest.data.pageSequences >> 1);
    if (manifest.data.pageSequences % sequences !== 0) {
      throw new RangeError(
        `a page of ${manifest.data.pageSequences} sequences is not whole micro-batches of ${sequences}`,
      );
    }
    trainer = await ports.createTrainer({ config: manifest.model, sequences });
    onEvent({ type: 'backend', report: trainer.report });
  }

  async function disposeTrainer(): Promise<void> {
    const old = trainer;
    trainer = undefined;
    // A lost device may refuse even this; what it held is gone either way.
    await old?.dispose().catch(() => undefined);
  }

  function currentTrainer(): Trainer {
    if (!trainer) throw new EngineError('no engine is compiled');
    return trainer;
  }

  async function open(): Promise<Session> {
    status({ kind: 'connecting' });
    const signed = await api.run(signal);
    const manifest = verifyManifest(signed);
    await clock.read(signal);
    const hotkey = encodeAddress(ports.identity.hotkeySigner.publicKey);
    onEvent({ type: 'identity', hotkey, run: signed.run });
    await join(api, ports, clock, signed.run, hotkey, signal);
    const scheme = createScheme(manifest.scheme, parameterLayout(manifest.model));
    const compressor = scheme.createContributor();
    const saved = await ports.optimiser.load(signed.run, hotkey);
    if (saved) {
      try {
        compressor.loadState(saved.bytes);
      } catch (error) {
        onEvent({ type: 'warning', message: `The stored momentum was unusable and starts afresh: ${String(error)}` });
      }
    }
    await checkRoom(ports, scheme.layout.total * 4);
    const pages = await openPageSource(manifest, api, ports.blobs, signal);
    await compile(manifest);
    const replica = createReplica({
      run: signed.run,
      manifest,
      scheme,
      api,
      cache: ports.blobs,
      engine: currentTrainer,
      emit: onEvent,
    });
    return { run: signed.run, manifest, hotkey, scheme, pages, replica, compressor };
  }

  async function contribute(session: Session): Promise<never> {
    for (;;) {
      const now = await clock.read(signal);
      if (now.run !== session.run) throw new UnreachableError('the validator now runs another run');
      await session.replica.catchUp({ window: now.window, root: now.stateRoot }, signal);
      retrySeconds = FIRST_RETRY_SECONDS;
      if (now.phase === 'train' && clock.msUntil(now.putOpensAt) > MIN_TRAINING_MS) {
        await trainAndUpload(session, now);
      } else {
        status({ kind: 'waiting', window: now.window, waitingFor: 'first-window' });
      }
      await nextWindow(session, now);
    }
  }

  /** Waits until the validator has published the window. */
  async function nextWindow(session: Session, current: ClockState): Promise<void> {
    for (;;) {
      const untilClosed = clock.msUntil(current.putClosesAt);
      await ports.sleep(Math.max(POLL_MS, Math.min(untilClosed, 5_000)), signal);
      const now = await clock.read(signal);
      if (now.window !== current.window) return;
      if (now.putClosesAt !== current.putClosesAt && now.phase === 'train') return;
      if (now.phase === 'judge') status({ kind: 'waiting', window: session.replica.window, waitingFor: 'judgement' });
    }
  }

  async function trainAndUpload(session: Session, now: ClockState): Promise<void> {
    const { scheme, compressor, replica, hotkey } = session;
    const trained = await train(session, now);
    if (!trained) return;
    status({ kind: 'compressing', window: now.window });
    const before = compressor.saveState();
    let body = compressor.compress(trained.gradient, scheme.learningRate(now.window));
    if (options.behaviour?.replaceBody) {
      body = await options.behaviour.replaceBody(body, { window: now.window, scheme });
    }
    const positions = syncPositions(now.window, hotkey, scheme.layout);
    const bytes = await encodeContribution(
      {
        run: session.run,
        window: now.window,
        hotkey,
        scheme: scheme.name,
        root: replica.root,
        pagesTrained: trained.pages.length,
        sampleDigest: sampleDigest(trained.pages),
        trainLoss: trained.meanLoss,
        syncSample: positions.map((position) => replica.parameters[position]!),
      },
      body,
      ports.identity.sessionSigner,
    );
    try {
      const receipt = await deliver(session, now, bytes);
      onEvent({ type: 'receipt', receipt, pagesTrained: trained.pages.length, trainLoss: trained.meanLoss });
      await ports.optimiser.save(session.run, hotkey, { window: now.window, bytes: compressor.saveState() });
    } catch (error) {
      // What was not delivered was not sent: it goes back into the error feedback.
      compressor.loadState(before);
      throw error;
    }
  }

  async function train(
    session: Session,
    now: ClockState,
  ): Promise<{ gradient: Float32Array<ArrayBuffer>; pages: string[]; meanLoss: number } | undefined> {
    const { manifest, pages: source } = session;
    const engine = currentTrainer();
    const assigned = assignedPages(
      now.assignmentSeed,
      session.hotkey,
      source.trainPages,
      manifest.training.pagesPerWindow,
    );
    const numbers = (options.behaviour?.choosePages?.(assigned, source.trainPages) ?? assigned).slice(
      0,
      options.maxPages,
    );
    const restPerBusyMs = 100 / (options.throttlePercent ?? 100) - 1;
    const microBatches = manifest.data.pageSequences / engine.sequences;
    const microBatchTokens = engine.sequences * engine.length;
    const hashes: string[] = [];
    let lossSum = 0;
    let count = 0;
    let step = 0;
    let slowestPageMs = 0;
    for await (const page of source.stream(numbers, signal)) {
      const left = clock.msUntil(now.putOpensAt);
      // The first page is always trained: it ends within the put phase or was worth the try.
      if (hashes.length > 0 && left < slowestPageMs) break;
      status({
        kind: 'training',
        window: now.window,
        pagesDone: hashes.length,
        pagesAssigned: numbers.length,
        secondsLeft: Math.max(0, left / 1_000),
      });
      const pageStarted = ports.now();
      for (let i = 0; i < microBatches && !options.behaviour?.skipTraining; i++) {
        signal.throwIfAborted();
        const started = ports.now();
        const ids = page.tokens.subarray(i * microBatchTokens, (i + 1) * microBatchTokens);
        const loss = await guardEngine(() => engine.accumulate(nextTokenBatch(ids, engine.sequences, engine.length)));
        lossSum += loss.sum;
        count += loss.count;
        const busyMs = ports.now() - started;
        if (restPerBusyMs > 0) await ports.sleep(busyMs * restPerBusyMs, signal);
        onEvent({
          type: 'loss',
          window: now.window,
          step: step++,
          loss: loss.sum / loss.count,
          tokens: loss.count,
          tokensPerSecond: loss.count / Math.max(1e-3, (ports.now() - started) / 1_000),
        });
      }
      slowestPageMs = Math.max(slowestPageMs, ports.now() - pageStarted);
      hashes.push(page.sha256);
    }
    if (hashes.length === 0) return undefined;
    let gradient = options.behaviour?.skipTraining
      ? new Float32Array(session.scheme.layout.total)
      : await guardEngine(() => engine.takeGradient());
    if (options.behaviour?.replaceGradient) gradient = options.behaviour.replaceGradient(gradient);
    return { gradient, pages: hashes, meanLoss: count === 0 ? 0 : lossSum / count };
  }

  async function deliver(session: Session, now: ClockState, bytes: Uint8Array<ArrayBuffer>): Promise<SignedReceipt> {
    const { run, hotkey, manifest } = session;
    const ticket = { run, window: now.window, hotkey, sha256: await sha256Hex(bytes), bytes: bytes.length };
    const request = {
      ticket,
      signature: await signHex(ports.identity.sessionSigner, 'ticket', canonicalBytes(ticket)),
    };
    for (let attempt = 0; ; attempt++) {
      const early = clock.msUntil(now.putOpensAt);
      if (early > 0) {
        status({ kind: 'waiting', window: now.window, waitingFor: 'put' });
        await ports.sleep(early + 20, signal);
      }
      status({ kind: 'uploading', window: now.window, bytes: 0, totalBytes: bytes.length });
      try {
        const signed = await api.upload(await api.ticket(request, signal), bytes, signal);
        if (!verifyHex('receipt', canonicalBytes(signed.receipt), signed.signature, manifest.validator.publicKey)) {
          throw new UnreachableError('the receipt is not signed by the validator');
        }
        status({ kind: 'uploading', window: now.window, bytes: bytes.length, totalBytes: bytes.length });
        status({ kind: 'waiting', window: now.window, waitingFor: 'judgement' });
        return signed;
      } catch (error) {
        const failure = failureOf(error);
        const delayMs = Math.min(2_000, 200 * 2 ** attempt);
        const retriable = failure.kind === 'retry' || failure.kind === 'early';
        if (!retriable || clock.msUntil(now.putClosesAt) < delayMs + UPLOAD_MARGIN_MS) throw error;
        await ports.sleep(delayMs, signal);
        if (failure.kind === 'early') await clock.read(signal);
      }
    }
  }

  async function runUntilFailure(): Promise<void> {
    let session: Session | undefined;
    for (;;) {
      try {
        session ??= await open();
        await contribute(session);
      } catch (error) {
        if (signal.aborted) return;
        const failure = failureOf(error);
        switch (failure.kind) {
          case 'fatal':
            status({ kind: 'failed', reason: failure.reason, remedy: failure.remedy });
            return;
          case 'engine':
            onEvent({ type: 'warning', message: `${failure.reason} The engine is rebuilt.` });
            session?.replica.reset();
            if (session) await compile(session.manifest).catch(() => (session = undefined));
            break;
          case 'rejoin':
            session = undefined;
            break;
          case 'early':
          case 'window-lost':
            onEvent({ type: 'warning', message: failure.reason });
            break;
          case 'retry':
            break;
        }
        status({ kind: 'retrying', reason: failure.reason, retryInSeconds: retrySeconds });
        // Stopped while it waits: the next attempt's first request says so.
        await ports.sleep(retrySeconds * 1_000, signal).catch(() => undefined);
        if (failure.kind !== 'window-lost') retrySeconds = Math.min(LAST_RETRY_SECONDS, retrySeconds * 2);
      }
    }
  }

  return {
    async run() {
      try {
        await runUntilFailure();
      } finally {
        await disposeTrainer();
        if (signal.aborted) status({ kind: 'stopped' });
      }
    },
    stop() {
      status({ kind: 'stopping' });
      abort.abort(new DOMException('stopped', 'AbortError'));
    },
  };
}

async function guardEngine<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new EngineError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function join(
  api: ValidatorApi,
  ports: ContributorPorts,
  clock: ServerClock,
  run: string,
  hotkey: string,
  signal: AbortSignal,
): Promise<void> {
  const serverNow = clock.now();
  const delegation: Delegation = {
    run,
    hotkey,
    sessionKey: bytesToHex(ports.identity.sessionSigner.publicKey),
    scopes: ['contribute'],
    issuedAt: new Date(serverNow - DELEGATION_SKEW_MS).toISOString(),
    expiresAt: new Date(serverNow + DELEGATION_MS).toISOString(),
  };
  const signature = await signHex(ports.identity.hotkeySigner, 'delegation', canonicalBytes(delegation));
  await api.join({ delegation, kind: ports.identity.kind, signature }, signal);
}

async function checkRoom(ports: ContributorPorts, needBytes: number): Promise<void> {
  const quota = await ports.storageQuotaBytes?.();
  if (quota !== undefined && quota < needBytes) {
    const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
    throw new StorageError(
      `The model needs ${mebibytes(needBytes)} of storage and the browser grants ${mebibytes(quota)}.`,
      'Free disk space, or clear other sites’ data in the browser’s settings, then start again.',
    );
  }
}
