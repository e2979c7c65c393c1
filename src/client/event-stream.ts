/** The validator's news over one EventSource, reopened with growing pauses when it fails. */
import { EventSchema, type ValidatorEvent } from '../../core/protocol/api.ts';

export type StreamState = 'connecting' | 'live' | 'lost';

/** What is needed of an `EventSource`. */
export interface EventSourceLike {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface EventStreamOptions {
  readonly url: string;
  readonly onEvent: (event: ValidatorEvent) => void;
  readonly onState: (state: StreamState) => void;
  readonly createSource?: (url: string) => EventSourceLike;
  readonly setTimer?: (work: () => void, ms: number) => () => void;
  readonly random?: () => number;
}

const EVENT_TYPES = ['clock', 'window', 'leaderboard'] satisfies ValidatorEvent['type'][];
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;

/** @returns calls it off */
export function browserTimer(work: () => void, ms: number): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

/** Follows until the returned function is called. */
export function followEvents(options: EventStreamOptions): () => void {
  const {
    createSource = (url: string): EventSourceLike => new EventSource(url),
    setTimer = browserTimer,
    random = Math.random,
  } = options;
  let source: EventSourceLike | undefined;
  let cancelTimer: (() => void) | undefined;
  let failures = 0;

  function receive({ data }: MessageEvent<string>): void {
    let json: unknown;
    try {
      json = JSON.parse(data);
    } catch {
      return;
    }
    // News of a later version are skipped: what matters is also polled, and complained about there.
    const parsed = EventSchema.safeParse(json);
    if (parsed.success) options.onEvent(parsed.data);
  }

  function open(): void {
    options.onState(failures === 0 ? 'connecting' : 'lost');
    const opened = createSource(options.url);
    source = opened;
    opened.onopen = () => {
      failures = 0;
      options.onState('live');
    };
    opened.onerror = () => {
      // EventSource reconnects by itself after some errors and never after others; doing it here covers both.
      opened.close();
      options.onState('lost');
      const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
      // Spread out, so that a restarted validator is not met by everyone at once.
      cancelTimer = setTimer(open, pauseMs * (0.5 + random() / 2));
    };
    for (const type of EVENT_TYPES) opened.addEventListener(type, receive);
  }

  open();
  return () => {
    cancelTimer?.();
    source?.close();
  };
}
