/** Server-sent events: a bounded queue a client, a bound on clients, and comments that keep the line open. */
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import { ProblemError } from '../../core/protocol/problem.ts';

/** A client that is this far behind is let go; its browser reconnects and reads the state anew. */
const MAX_QUEUED = 64;

export interface EventStreamOptions {
  readonly subscribe: (listener: (event: ValidatorEvent) => void) => () => void;
  /** Sent first, so that a client that reconnects knows where things stand. */
  readonly greeting: () => ValidatorEvent;
  readonly maxClients: number;
  readonly heartbeatMs: number;
}

export interface EventStreams {
  /** @throws ProblemError `too-many-requests` */
  open(): Response;
  readonly clients: number;
  /** Ends all streams. */
  close(): void;
}

export function formatEvent(event: ValidatorEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function createEventStreams(options: EventStreamOptions): EventStreams {
  const closers = new Set<() => void>();

  function open(): Response {
    if (closers.size >= options.maxClients) {
      throw new ProblemError(
        'too-many-requests',
        'Too many listeners at once: poll /v1/clock instead, or try again later.',
      );
    }
    const encoder = new TextEncoder();
    let stop = (): void => undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const send = (text: string): void => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
            else end();
          };
          const unsubscribe = options.subscribe((event) => {
            send(formatEvent(event));
          });
          const heartbeat = setInterval(() => {
            send(': still here\n\n');
          }, options.heartbeatMs);
          stop = () => {
            clearInterval(heartbeat);
            unsubscribe();
            closers.delete(end);
          };
          const end = (): void => {
            stop();
            controller.close();
          };
          closers.add(end);
          send(`retry: 2000\n\n${formatEvent(options.greeting())}`);
        },
        cancel: () => {
          stop();
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
      return closers.size;
    },
    close() {
      for (const end of [...closers]) end();
    },
  };
}
