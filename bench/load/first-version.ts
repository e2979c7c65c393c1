/** Parts of the validator as they were before it was put under load, for comparison in the same run. */
import type { Kysely } from 'kysely';
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import type { Tables } from '../../validator/adapters/database.ts';
import { formatEvent, type EventStreamOptions, type EventStreams } from '../../validator/http/event-stream.ts';
import type { WindowClose } from '../../validator/rounds/store.ts';

/** Each event is written, encoded and timed for each client. */
export function firstEventStreams(options: EventStreamOptions): EventStreams {
  const closers = new Set<() => void>();

  function open(): Response {
    const encoder = new TextEncoder();
    let stop = (): void => undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const send = (text: string): void => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
            else end();
          };
          const unsubscribe = options.subscribe((event: ValidatorEvent) => send(formatEvent(event)));
          const heartbeat = setInterval(() => send(': still here\n\n'), options.heartbeatMs);
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
        cancel: () => stop(),
      },
      { highWaterMark: 64 },
    );
    return new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
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

/** A statement for each row of what a window leaves behind. */
export async function firstRows(
  db: Kysely<Tables>,
  { verdicts, history }: Pick<WindowClose, 'verdicts' | 'history'>,
): Promise<void> {
  await db.transaction().execute(async (t) => {
    for (const { hotkey, verdict } of verdicts) {
      const row = { hotkey, window: verdict.window, refusal: 0, verdict: JSON.stringify(verdict) };
      await t.insertInto('verdicts').values(row).execute();
    }
    for (const { hotkey, point } of history) {
      const row = { hotkey, window: point.window, point: JSON.stringify(point) };
      await t.insertInto('history').values(row).execute();
    }
  });
}
