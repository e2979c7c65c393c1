/**
 * Watchers of the leaderboard, thousands of sockets in one process: each reads its event stream to the letter, and after an
 * event `leaderboard` reads the leaderboard when a page would.
 */
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EventSchema, type ValidatorEvent } from '../../core/protocol/api.ts';
import { instantNow, keyOf, tell } from './messages.ts';
import { readingDelayMs } from '../../client/live-pace.ts';

const [validatorUrl, watcherCount, perSecond] = process.argv.slice(2) as [string, string, string];
const { hostname, port } = new URL(validatorUrl);
/** Pages share connections to a proxy, not one for each. */
const READING_CONNECTIONS = 128;
const agent = new Agent({ keepAlive: true, maxSockets: READING_CONNECTIONS });

const ATTEMPTS = 5;
const RETRY_MS = 2_000;

interface Report {
  arrivals: Record<string, number[]>;
  broken: number;
  readings: number;
  readingBytes: number;
  failedReadings: number;
  readingMs: number[];
  lastReadingAt: number | null;
}

const freshReport = (): Report => ({
  arrivals: {},
  broken: 0,
  readings: 0,
  readingBytes: 0,
  failedReadings: 0,
  readingMs: [],
  lastReadingAt: null,
});
let report = freshReport();
let streamBytes = 0;
let reportedBytes = 0;
let ending = false;

function readLeaderboard(): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip' };
    get({ hostname, port, path: '/v1/leaderboard', agent, headers }, (response: IncomingMessage) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => {
        if (response.statusCode === 200 && response.complete) resolve(bytes);
        else reject(new Error(`answered ${response.statusCode}`));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}

async function readAfter(event: Extract<ValidatorEvent, { type: 'leaderboard' }>): Promise<void> {
  await delay(readingDelayMs(event));
  const begun = performance.now();
  try {
    const bytes = await readLeaderboard();
    report.readingBytes += bytes;
    report.readingMs.push(performance.now() - begun);
    report.lastReadingAt = instantNow();
    report.readings++;
  } catch {
    report.failedReadings++;
  }
}

/** An event stream from its first byte: head, chunks, lines. */
class Watcher {
  readonly socket: Socket;
  readonly opened: Promise<boolean>;
  /** Not yet understood, as Latin-1: JSON of ours is ASCII, and counts of chunks are bytes. */
  #rest = '';
  #inHead = true;
  /** Of the chunk under way, its line end included. */
  #left = 0;
  #text = '';
  #greeted = false;
  #settle: (opened: boolean) => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => (this.#settle = resolve));
    this.socket = connect({ host: hostname, port: Number(port) });
    this.socket.setNoDelay();
    this.socket.on('connect', () => {
      this.socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n\r\n`);
    });
    this.socket.on('data', (bytes: Buffer) => {
      streamBytes += bytes.length;
      try {
        this.#take(bytes.toString('latin1'));
      } catch {
        this.#break();
      }
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#break();
    });
  }

  #break(): void {
    this.#settle(false);
    if (this.#greeted && !ending) report.broken++;
    this.#greeted = false;
    this.socket.destroy();
  }

  #take(bytes: string): void {
    this.#rest += bytes;
    if (this.#inHead) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#rest.startsWith('HTTP/1.1 200 ')) throw new Error('refused');
      this.#rest = this.#rest.slice(end + 4);
      this.#inHead = false;
    }
    for (;;) {
      if (this.#left === 0) {
        const end = this.#rest.indexOf('\r\n');
        if (end < 0) return;
        const size = Number.parseInt(this.#rest.slice(0, end), 16);
        if (!(size > 0)) throw new Error('the stream has ended');
        this.#left = size + 2;
        this.#rest = this.#rest.slice(end + 2);
      }
      if (this.#rest.length < this.#left) return;
      this.#text += this.#rest.slice(0, this.#left - 2);
      this.#rest = this.#rest.slice(this.#left);
      this.#left = 0;
      this.#parse();
    }
  }

  #parse(): void {
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) this.#note(EventSchema.parse(JSON.parse(data.slice(6))));
    }
  }

  #note(event: ValidatorEvent): void {
    if (!this.#greeted) {
      this.#greeted = true;
      this.#settle(true);
      return;
    }
    (report.arrivals[keyOf(event)] ??= []).push(instantNow());
    if (event.type === 'leaderboard') void readAfter(event);
  }
}

/** Tries again as a page does. */
async function open(): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    if (await new Watcher().opened) return true;
    if (attempt === ATTEMPTS) return false;
    await delay(RETRY_MS * (0.5 + Math.random()));
  }
}

async function connectAll(): Promise<void> {
  const begun = performance.now();
  const opening: Promise<boolean>[] = [];
  const pauseMs = 20;
  const atOnce = Math.max(1, Math.round((Number(perSecond) * pauseMs) / 1_000));
  for (let left = Number(watcherCount); left > 0; left -= atOnce) {
    for (let i = 0; i < Math.min(atOnce, left); i++) opening.push(open());
    await delay(pauseMs);
  }
  const opened = await Promise.all(opening);
  const connected = opened.filter(Boolean).length;
  void tell({
    type: 'ready',
    connected,
    refused: opened.length - connected,
    seconds: (performance.now() - begun) / 1_000,
  });
}

process.on('message', (ask: 'report' | 'end') => {
  const told = tell({ type: 'report', ...report, streamBytes: streamBytes - reportedBytes });
  reportedBytes = streamBytes;
  report = freshReport();
  if (ask === 'report') return;
  ending = true;
  void told.then(() => process.exit());
});
process.once('disconnect', () => process.exit());
await connectAll();
