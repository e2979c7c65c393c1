/** One run joined by one hotkey: what stays from window to window, also when the engine under it is replaced. */
import { parameterLayout } from '../core/model/layout.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import { createScheme } from '../core/scheme/create-scheme.ts';
import type { Scheme } from '../core/scheme/scheme.ts';
import type { Behaviour } from './behaviour.ts';
import type { ContributorContext } from './context.ts';
import { createDevice, type Device } from './device.ts';
import { EngineError } from './failure.ts';
import { joinWhenSigned } from './joining.ts';
import { verifyManifest } from '../core/identity/manifest.ts';
import { createOptimiserKeeper, type OptimiserKeeper } from './optimiser-keeper.ts';
import { createPace, type Pace } from './pace.ts';
import { openPageSource, type PageSource } from './page-source.ts';
import { StorageError, type ContributorPorts } from './ports.ts';
import { createReplica, type Replica } from './replica.ts';

export interface Session {
  readonly run: string;
  readonly manifest: RunManifest;
  readonly hotkey: string;
  readonly scheme: Scheme;
  readonly pages: PageSource;
  readonly replica: Replica;
  readonly optimiser: OptimiserKeeper;
  /** Of an upload, from the ticket to the receipt. */
  readonly upload: Pace;
  /** Windows in a row that were too short for a page. */
  slowWindows: number;
  /** Windows in a row without a page, for whatever reason. */
  emptyWindows: number;
  /** Whether anything was accepted yet. */
  delivered: boolean;
  /** @throws EngineError while there is none */
  device(): Device;
  /** Compiles the engine, in place of the one there was, and gives it the optimiser state. @throws EngineError */
  compile(): Promise<void>;
  /** Saves the optimiser state and frees the engine. */
  close(): Promise<void>;
}

/** Joins the run. There is no engine yet. */
export async function openSession(
  context: ContributorContext,
  replaceTrainer: Behaviour['replaceTrainer'],
): Promise<Session> {
  const { ports, api, clock, signal, emit, status } = context;
  status({ kind: 'connecting' });
  const { run, ...signed } = await api.run(signal);
  const manifest = verifyManifest({ run, ...signed });
  await clock.read(signal);
  const { hotkey } = ports.identity;
  emit({ type: 'identity', hotkey, run });
  await joinWhenSigned(context, run);
  const scheme = createScheme(manifest.scheme, parameterLayout(manifest.model));
  await checkRoom(ports, scheme.layout.total * 4);
  const pages = await openPageSource(manifest, api, ports.blobs, signal);
  const optimiser = createOptimiserKeeper({ store: ports.optimiser, run, hotkey, emit });
  let current: Device | undefined;

  function device(): Device {
    if (!current) throw new EngineError('no engine is compiled');
    return current;
  }

  async function dispose(): Promise<void> {
    const old = current;
    current = undefined;
    await old?.dispose();
  }

  const replica = createReplica({
    run,
    manifest,
    scheme,
    api,
    cache: ports.blobs,
    engine: () => device().trainer,
    emit,
  });

  return {
    run,
    manifest,
    hotkey,
    scheme,
    pages,
    replica,
    optimiser,
    upload: createPace(),
    slowWindows: 0,
    emptyWindows: 0,
    delivered: false,
    device,
    async compile() {
      status({ kind: 'compiling' });
      await dispose();
      replica.reset();
      const { pageSequences } = manifest.data;
      current = await createDevice(ports, { config: manifest.model, pageSequences, scheme, replaceTrainer });
      emit({ type: 'backend', report: current.trainer.report });
      await optimiser.attach(current.compressor);
    },
    async close() {
      await optimiser.save();
      await dispose();
    },
  };
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
