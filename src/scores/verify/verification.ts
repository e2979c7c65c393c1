/** A window recomputed in this tab: started, watched and cancelled. Its worker lives as long as it takes. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { VerifierApi, VerifierEvent, VerifyOptions } from '../../../workers/verifier/verifier-api.ts';
import { connectWorker, type Connection, type WorkerLike } from '../../client/rpc.ts';

export type Finding = Extract<VerifierEvent, { type: 'finding' }>['finding'];

export interface VerificationState {
  readonly kind: 'idle' | 'running' | 'done' | 'failed';
  readonly window: number | undefined;
  readonly progress: string | undefined;
  readonly findings: readonly Finding[];
  readonly reason: string | undefined;
  readonly seconds: number | undefined;
}

export interface Verification {
  readonly store: StoreApi<VerificationState>;
  readonly start: (options: VerifyOptions) => void;
  readonly cancel: () => void;
}

const IDLE: VerificationState = {
  kind: 'idle',
  window: undefined,
  progress: undefined,
  findings: [],
  reason: undefined,
  seconds: undefined,
};
/** Of a large model on a slow device. */
const DEADLINE_MS = 30 * 60_000;

export function createVerification(spawn: () => WorkerLike): Verification {
  const store = createStore<VerificationState>(() => IDLE);
  let connection: Connection<VerifierApi> | undefined;

  function release(): void {
    const current = connection;
    connection = undefined;
    current?.close();
  }

  const fail = (reason: string): void => {
    release();
    store.setState({ kind: 'failed', reason, progress: undefined });
  };

  return {
    store,
    start(options) {
      release();
      store.setState({ ...IDLE, kind: 'running', window: options.window }, true);
      const current = connectWorker<VerifierApi, VerifierEvent>(spawn(), {
        deadlinesMs: { verify: DEADLINE_MS },
        onEvent(event) {
          if (event.type === 'progress') store.setState({ progress: event.what });
          else store.setState((state) => ({ findings: [...state.findings, event.finding] }));
        },
        onDeath: (error) => fail(error.message),
      });
      connection = current;
      current.call('verify', options).then(
        (result) => {
          if (connection !== current) return;
          if (!result.ended) fail(result.reason);
          else {
            release();
            store.setState({ kind: 'done', progress: undefined, seconds: result.seconds });
          }
        },
        (error: unknown) => {
          // Cancelled, or already told by its death.
          if (connection === current) fail(error instanceof Error ? error.message : String(error));
        },
      );
    },
    cancel() {
      release();
      store.setState(IDLE, true);
    },
  };
}
