/**
 * What the processes of the load benchmark tell the one that started them. Instants are milliseconds since the epoch with
 * fractions, from one machine's clock; durations are milliseconds.
 */
import { z } from 'zod';
import type { ValidatorEvent } from '../../core/protocol/api.ts';

const count = z.int().nonnegative();
const ms = z.number().nonnegative();

export const ServerMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), url: z.url(), run: z.string() }),
  /** What it holds now, because it was asked. */
  z.object({ type: z.literal('memory'), rssBytes: count }),
  /** An event as it was given to the streams, before any of them had it. */
  z.object({ type: z.literal('event'), key: z.string(), at: z.number() }),
  /** A phase that has ended, and what this process did in it. */
  z.object({
    type: z.literal('phase'),
    window: count,
    phase: z.string(),
    seconds: ms,
    /** Of this process and its threads, as a share of one core. */
    cpu: ms,
    /** How late the event loop was, less the monitor's period. */
    lateP99Ms: ms,
    lateMaxMs: ms,
    peakRssBytes: count,
  }),
  z.object({
    type: z.literal('window'),
    window: count,
    participants: count,
    aggregated: count,
    evaluated: count,
    /** From the end of the put phase to the window's publication. */
    overrunMs: ms,
  }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

export const PeersMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), joined: count }),
  z.object({
    type: z.literal('window'),
    window: count,
    ticketMs: z.array(ms),
    /** From the first byte of an upload that was accepted to its receipt. */
    uploadMs: z.array(ms),
    /** From the opening of the put phase to the receipt, other attempts included. */
    receiptMs: z.array(ms),
    /** Attempts that were refused or lost and made again, by problem. */
    retries: z.record(z.string(), count),
    /** Peers without a receipt, by what the last attempt came to. */
    lost: z.record(z.string(), count),
    /** From asking for the newest outer step to having it verified. */
    stepMs: z.array(ms),
  }),
  z.object({
    type: z.literal('guests'),
    joinMs: z.array(ms),
    seconds: ms,
    lost: z.record(z.string(), count),
  }),
]);
export type PeersMessage = z.infer<typeof PeersMessage>;

export const WatchersMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), connected: count, refused: count, seconds: ms }),
  z.object({
    type: z.literal('report'),
    /** When each watcher had an event, by its key. */
    arrivals: z.record(z.string(), z.array(z.number())),
    /** Streams that ended, or said what is no event. */
    broken: count,
    streamBytes: count,
    /** Readings of the leaderboard that an event led to. */
    readings: count,
    readingBytes: count,
    failedReadings: count,
    readingMs: z.array(ms),
    /** When the last reading of each window ended. */
    lastReadingAt: z.number().nullable(),
  }),
]);
export type WatchersMessage = z.infer<typeof WatchersMessage>;

const routeFigures = z.object({
  name: z.string(),
  requests: count,
  failed: count,
  perSecond: ms,
  bytesEach: ms,
  p50Ms: ms,
  p99Ms: ms,
  maxMs: ms,
});
export type RouteFigures = z.infer<typeof routeFigures>;

export const RoutesMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('routes'), routes: z.array(routeFigures) }),
]);
export type RoutesMessage = z.infer<typeof RoutesMessage>;

/** Resolves when it is on its way. @throws Error when this is not a process of the benchmark */
export async function tell(message: ServerMessage | PeersMessage | WatchersMessage | RoutesMessage): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (!process.send) throw new Error('this is started by bench/load/main.ts');
    process.send(message, undefined, undefined, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Milliseconds since the epoch with fractions: comparable between the processes of a machine. */
export const instantNow = (): number => performance.timeOrigin + performance.now();

/** Under which an event is known to all processes. */
export function keyOf(event: ValidatorEvent): string {
  switch (event.type) {
    case 'clock':
      return `clock ${event.clock.window} ${event.clock.phase}`;
    case 'window':
      return `window ${event.window.window}`;
    case 'leaderboard':
      return `leaderboard ${event.window}`;
  }
}
