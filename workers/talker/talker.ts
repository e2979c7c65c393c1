/** The talker worker: the run's newest model, which goes on with what a person types. Nothing typed leaves the tab. */
import { expose } from 'comlink';
import { messageOf } from '../../client/http.ts';
import { createBlobCache } from '../shared/blob-cache.ts';
import { createDatabase, nameDatabase } from '../shared/database.ts';
import { portFetch } from '../shared/port-fetch.ts';
import { openModel, type TalkingModel } from './model.ts';
import type { TalkerApi, TalkerEvent, TalkOptions } from './talker-api.ts';
import { holdLife } from '../shared/life.ts';

/** A word to stop is heard this often. */
const SLICE_MS = 40;

let events: MessagePort | undefined;
let model: TalkingModel | undefined;
let abort = new AbortController();

function emit(event: TalkerEvent): void {
  events?.postMessage(event);
}

const breath = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function newestModel(options: TalkOptions, signal: AbortSignal): Promise<TalkingModel> {
  const { validatorUrl, validatorPort, databaseName } = options;
  if (!model) {
    if (databaseName !== undefined) nameDatabase(databaseName);
    model = await openModel({
      validatorUrl,
      fetch: validatorPort ? portFetch(validatorPort) : (input, init) => fetch(input, init),
      cache: createBlobCache(createDatabase()),
      signal,
      onProgress: (bytes, totalBytes) => emit({ type: 'progress', bytes, totalBytes }),
    });
  }
  await model.refresh(signal);
  return model;
}

async function say(current: TalkingModel, options: TalkOptions, signal: AbortSignal): Promise<number> {
  const decoder = new TextDecoder();
  let tokens = 0;
  let slice = performance.now();
  for (const bytes of current.draw(options)) {
    tokens++;
    emit({ type: 'text', text: decoder.decode(bytes, { stream: true }) });
    if (performance.now() - slice < SLICE_MS) continue;
    await breath();
    if (signal.aborted) break;
    slice = performance.now();
  }
  emit({ type: 'text', text: decoder.decode() });
  return tokens;
}

const api: TalkerApi = {
  connect(port, life) {
    events?.close();
    events = port;
    return holdLife(life);
  },
  async talk(options) {
    abort = new AbortController();
    const { signal } = abort;
    try {
      const current = await newestModel(options, signal);
      emit({ type: 'model', window: current.window });
      const started = performance.now();
      const tokens = await say(current, options, signal);
      return { ended: true, tokens, seconds: (performance.now() - started) / 1_000 };
    } catch (error) {
      return signal.aborted ? { ended: true, tokens: 0, seconds: 0 } : { ended: false, reason: messageOf(error) };
    }
  },
  stop() {
    abort.abort();
  },
};

expose(api);
