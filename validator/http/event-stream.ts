/**
 * Server-sent events to thousands of clients: each event is written and encoded once, clients get it in slices with other
 * work between them, and whoever falls behind is let go.
 */
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';

/**
 * Pieces that wait for a client, each of the events that came while it was not its turn. A client that is this far behind
 * is let go; its browser reconnects and reads the state anew. They are the same bytes for all, so a slow client takes no
 * more memory than its place in the queue: what its socket holds besides is bounded by the system.
 */
const MAX_QUEUED = 64;
/** Readings a second that events should lead to: a small part of what a process answers (docs/measurements/load.md). */
const READINGS_A_SECOND = 500;
/** Clients served before other work has its turn: some ten milliseconds of writing. */
const SLICE = 500;

export interface EventStreamOptions {
  readonly subscribe: (listener: (event: ValidatorEvent) => void) => () => void;
  /** Sent first, so that a client that reconnects knows where things stand. */
  readonly greeting: () => ValidatorEvent;
  readonly maxClients: number;
  /** Of these, those of one address: nobody alone takes all of them. */
  readonly maxOfAddress: number;
  readonly heartbeatMs: number;
}

export interface EventStreams {
  /** @param address whose it is, where that is counted. @throws ProblemError `too-many-requests` */
  open(address?: string): Response;
  readonly clients: number;
  /** Ends all streams. */
  close(): void;
}

export function formatEvent(event: ValidatorEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

const HEARTBEAT = ': still here\n\n';

/** With the time over which so many clients are to read what has changed. */
function spread(event: ValidatorEvent, clients: number): ValidatorEvent {
  if (event.type === 'clock') return event;
  return { ...event, spreadMs: Math.round((1_000 * clients) / READINGS_A_SECOND) };
}

/** A stream of which so much was sent: a number of pieces since the beginning of all. */
interface Client {
  sent: number;
  /** Takes it out of its address's number, once. */
  uncount: () => void;
  /** @returns whether there was room */
  send(piece: Uint8Array): boolean;
  end(): void;
}

export function createEventStreams(options: EventStreamOptions): EventStreams {
  const encoder = new TextEncoder();
  const clients = new Set<Client>();
  /** What not every client has yet; the first is number `offset`. */
  let log: Uint8Array[] = [];
  let offset = 0;
  let serving = false;
  let stopListening: (() => void) | undefined;

  /** From a piece on to the newest, as one; made once for all that are as far. */
  let joined: { readonly from: number; readonly to: number; readonly piece: Uint8Array } | undefined;
  function since(from: number): Uint8Array {
    const to = offset + log.length;
    if (joined?.from !== from || joined.to !== to) {
      const pieces = log.slice(from - offset);
      const piece = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of pieces) {
        piece.set(part, at);
        at += part.length;
      }
      joined = { from, to, piece };
    }
    return joined.piece;
  }

  /** Serves clients until a slice is full. @returns whether all of them have everything */
  function serveSlice(): boolean {
    const newest = offset + log.length;
    let served = 0;
    for (const client of clients) {
      if (client.sent === newest) continue;
      if (served++ === SLICE) return false;
      // Served clients go to the end, so that the next slice begins with those that wait.
      clients.delete(client);
      if (client.send(since(client.sent))) {
        client.sent = newest;
        clients.add(client);
      } else client.end();
    }
    offset = newest;
    log = [];
    joined = undefined;
    return true;
  }

  function serve(): void {
    serving = !serveSlice();
    if (serving) setTimeout(serve);
  }

  function publish(text: string): void {
    log.push(encoder.encode(text));
    if (!serving) serve();
  }

  /** One subscription and one timer serve them all, while there are any. */
  function listen(): () => void {
    const unsubscribe = options.subscribe((event) => {
      publish(formatEvent(spread(event, clients.size)));
    });
    const heartbeat = setInterval(() => {
      publish(HEARTBEAT);
    }, options.heartbeatMs);
    return () => {
      clearInterval(heartbeat);
      unsubscribe();
    };
  }

  function forget(client: Client): void {
    clients.delete(client);
    client.uncount();
    client.uncount = () => undefined;
    if (clients.size > 0) return;
    stopListening?.();
    stopListening = undefined;
    offset += log.length;
    log = [];
  }

  const ofAddress = new Map<string, number>();
  /** @returns takes it back */
  function count(address: string | undefined): () => void {
    if (address === undefined) return () => undefined;
    ofAddress.set(address, (ofAddress.get(address) ?? 0) + 1);
    return () => {
      const left = ofAddress.get(address)! - 1;
      if (left === 0) ofAddress.delete(address);
      else ofAddress.set(address, left);
    };
  }

  function open(address?: string): Response {
    const neighbours = address === undefined ? 0 : (ofAddress.get(address) ?? 0);
    if (clients.size >= options.maxClients || neighbours >= options.maxOfAddress) {
      throw new ProblemError(
        'too-many-requests',
        'Too many listeners at once: poll /v1/clock instead, or try again later.',
      );
    }
    let leave = (): void => undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const client: Client = {
            sent: offset + log.length,
            uncount: () => undefined,
            send(piece) {
              if ((controller.desiredSize ?? 0) <= 0) return false;
              controller.enqueue(piece);
              return true;
            },
            end() {
              forget(client);
              controller.close();
            },
          };
          leave = () => {
            forget(client);
          };
          clients.add(client);
          client.uncount = count(address);
          stopListening ??= listen();
          client.send(encoder.encode(`retry: 2000\n\n${formatEvent(options.greeting())}`));
        },
        cancel: () => {
          leave();
        },
      },
      { highWaterMark: MAX_QUEUED },
    );
    return new Response(stream, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        // Proxies that buffer would hold the news back.
        'x-accel-buffering': 'no',
      },
    });
  }

  return {
    open,
    get clients() {
      return clients.size;
    },
    close() {
      for (const client of [...clients]) client.end();
    },
  };
}
