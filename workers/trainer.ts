/** The trainer worker: the contributor with the tab's storage, keys and engine, off the UI thread. */
import { expose } from 'comlink';
import { createContributor, type Contributor } from '../client/contributor.ts';
import { codeOf, remedyOf } from '../client/failure.ts';
import { messageOf } from '../client/http.ts';
import { chooseBackend } from '../engine/web.ts';
import { createDatabase, nameDatabase } from './shared/database.ts';
import { portFetch } from './shared/port-fetch.ts';
import { requestPersistence } from './shared/storage-room.ts';
import { createTabPorts, type BackendChoice } from './tab-ports.ts';
import { holdTrainerLock, type TrainerLock } from './trainer-lock.ts';
import type { Refusal, StartOptions, TrainerApi, TrainerEvent } from './trainer-api.ts';
import { holdLife } from './shared/life.ts';

const database = createDatabase();
let events: MessagePort | undefined;
let running: { readonly contributor: Contributor; readonly ended: Promise<void> } | undefined;
/** Also what was set while the contributor was being made. */
let settings: Pick<StartOptions, 'throttlePercent' | 'paused' | 'finishing'> = {};

function emit(event: TrainerEvent): void {
  events?.postMessage(event);
}

function refusalOf(error: unknown): Refusal {
  return {
    reason: messageOf(error),
    remedy: remedyOf(error) ?? 'Reload the page and try again; if it happens again, report what it says.',
  };
}

function backendChoice({ forceBackend }: StartOptions): BackendChoice {
  return forceBackend === undefined ? {} : { force: forceBackend };
}

async function run(contributor: Contributor, lock: TrainerLock): Promise<void> {
  try {
    await contributor.run();
  } finally {
    lock.release();
    running = undefined;
  }
}

async function start(options: StartOptions): Promise<void> {
  // Before anything is downloaded: without a backend the download would be for nothing.
  emit({ type: 'backend', report: await chooseBackend(backendChoice(options)) });
  const { memoryMib, wallet, validatorPort } = options;
  const ports = await createTabPorts(database, {
    backend: backendChoice(options),
    memoryMib,
    wallet,
    ...(validatorPort ? { fetch: portFetch(validatorPort) } : {}),
  });
  const lock = await holdTrainerLock(options.validatorUrl, undefined, options.patienceMs);
  void requestPersistence();
  const contributor = createContributor({
    validatorUrl: options.validatorUrl,
    ports,
    onEvent: emit,
    ...settings,
  });
  running = { contributor, ended: run(contributor, lock) };
}

const api: TrainerApi = {
  connect(port, life) {
    events?.close();
    events = port;
    return holdLife(life);
  },
  async start(options) {
    if (running) return { started: true };
    if (options.databaseName !== undefined) nameDatabase(options.databaseName);
    const { throttlePercent, paused, finishing } = options;
    settings = {
      ...(throttlePercent === undefined ? {} : { throttlePercent }),
      ...(paused === undefined ? {} : { paused }),
      ...(finishing === undefined ? {} : { finishing }),
    };
    try {
      await start(options);
      return { started: true };
    } catch (error) {
      return { started: false, code: codeOf(error), ...refusalOf(error) };
    }
  },
  setPaused(paused) {
    settings = { ...settings, paused };
    if (paused) running?.contributor.pause();
    else running?.contributor.resume();
  },
  setFinishing(finishing) {
    settings = { ...settings, finishing };
    running?.contributor.setFinishing(finishing);
  },
  setThrottle(throttlePercent) {
    settings = { ...settings, throttlePercent };
    running?.contributor.setThrottle(throttlePercent);
  },
  async stop() {
    const current = running;
    current?.contributor.stop();
    await current?.ended;
    await database.close();
  },
};

expose(api);
