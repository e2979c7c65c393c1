/** A text that the run's model goes on with, in a worker that keeps the model for the next one. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { TalkerApi, TalkerEvent, TalkOptions } from '../../../workers/talker/talker-api.ts';
import { connectWorker, type Connection, type WorkerLike } from '../../client/rpc.ts';

export interface ConversationState {
  readonly kind: 'idle' | 'loading' | 'talking' | 'done' | 'failed';
  readonly prompt: string;
  readonly text: string;
  /** The window that trains from the model that speaks. */
  readonly window: number | undefined;
  readonly download: { readonly bytes: number; readonly totalBytes: number } | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly reason: string | undefined;
}

export interface Conversation {
  readonly store: StoreApi<ConversationState>;
  readonly start: (options: TalkOptions) => void;
  readonly stop: () => void;
}

const IDLE: ConversationState = {
  kind: 'idle',
  prompt: '',
  text: '',
  window: undefined,
  download: undefined,
  tokensPerSecond: undefined,
  reason: undefined,
};
/** The download of a large model on a slow line, and a long text of it on a slow device. */
const DEADLINE_MS = 60 * 60_000;
const STOP_DEADLINE_MS = 30_000;

export function createConversation(spawn: () => WorkerLike): Conversation {
  const store = createStore<ConversationState>(() => IDLE);
  let connection: Connection<TalkerApi> | undefined;
  let talking = 0;

  function fail(reason: string): void {
    connection?.close();
    connection = undefined;
    store.setState({ kind: 'failed', reason, download: undefined });
  }

  function onEvent(event: TalkerEvent): void {
    switch (event.type) {
      case 'progress':
        store.setState({ download: event });
        return;
      case 'model':
        store.setState({ kind: 'talking', window: event.window, download: undefined });
        return;
      case 'text':
        store.setState(({ text }) => ({ text: text + event.text }));
        return;
      default:
        event satisfies never;
    }
  }

  return {
    store,
    start(options) {
      const turn = ++talking;
      store.setState({ ...IDLE, kind: 'loading', prompt: options.prompt }, true);
      connection ??= connectWorker<TalkerApi, TalkerEvent>(spawn(), {
        deadlinesMs: { talk: DEADLINE_MS, stop: STOP_DEADLINE_MS },
        onEvent,
        onDeath: (error) => fail(error.message),
      });
      connection.call('talk', options).then(
        (result) => {
          if (turn !== talking) return;
          if (!result.ended) fail(result.reason);
          else {
            const { tokens, seconds } = result;
            store.setState({
              kind: 'done',
              download: undefined,
              tokensPerSecond: tokens > 1 && seconds > 0 ? tokens / seconds : undefined,
            });
          }
        },
        (error: unknown) => {
          if (turn === talking && connection) fail(error instanceof Error ? error.message : String(error));
        },
      );
    },
    stop() {
      // A worker that does not hear it is told by its text going on.
      connection?.call('stop').catch(() => undefined);
    },
  };
}
