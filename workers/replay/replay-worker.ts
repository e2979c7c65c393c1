/** The replay's worker: a recorded run behind the validator's API, away from the page's thread. */
import { boundedFetch, messageOf } from '../../client/http.ts';
import { MAX_RECORDING_BYTES, RecordingError, unpackRecording } from '../../client/recording.ts';
import { servePort } from '../demo/serve-port.ts';
import { openRecordedRun, type RecordedRun } from './recorded-run.ts';
import type { ReplayCommand, ReplayNews } from './replay-api.ts';

const TIMEOUT_MS = 120_000;

let opened: (url: string) => void;
const opening = new Promise<string>((resolve) => (opened = resolve));

function say(news: ReplayNews): void {
  self.postMessage(news);
}

async function load(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await boundedFetch((input, init) => fetch(input, init), url, {
      maxBytes: MAX_RECORDING_BYTES,
      timeoutMs: TIMEOUT_MS,
      onProgress: (bytes) => say({ type: 'loading', bytes }),
    });
  } catch (cause) {
    throw new RecordingError(`The recording at ${url} could not be loaded: ${messageOf(cause)}.`, { cause });
  }
}

async function open(): Promise<RecordedRun> {
  const recording = await unpackRecording(await load(await opening));
  const run = openRecordedRun(recording);
  say({
    type: 'opened',
    first: run.first,
    last: run.last,
    publishedAt: recording.windows.map(({ book }) => book.book.record.publishedAt ?? recording.recordedAt),
    labels: recording.labels.map(({ hotkey, name, kind }) => [hotkey, { name, kind }] as const),
  });
  return run;
}

const replay = open();
replay.catch((error: unknown) => say({ type: 'failed', reason: messageOf(error) }));

function receive(command: ReplayCommand): void {
  switch (command.type) {
    case 'open':
      opened(command.url);
      return;
    case 'connect':
      servePort(command.port, replay);
      return;
    case 'seek':
      void replay.then((run) => {
        run.seek(command.window);
        say({ type: 'at', window: run.window });
      });
      return;
  }
}

self.onmessage = ({ data }: MessageEvent<ReplayCommand>) => receive(data);
