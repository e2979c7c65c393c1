/** The chain that a run hangs on: connected for as long as the validator runs, whatever its nodes do. */
import type { ChainError } from '../../../chain/errors.ts';
import type { SubtensorChain } from '../../../chain/types.ts';
import type { ChainState } from '../../../core/protocol/chain.ts';
import type { RunChain as ChainParameters } from '../../../core/protocol/manifest.ts';
import { ChainUnreachableError, type FinalisedBlock, type Log, type RunChain } from '../../rounds/ports.ts';

export interface LiveChain extends RunChain {
  /** The connection, once there has been one. */
  readonly connection: Promise<SubtensorChain>;
  /** ms since the epoch of the newest head; undefined before the first. */
  heardAt(): number | undefined;
  /** How often a node was connected to. */
  connections(): number;
  /** Says from now on what became of the validator's own weights. */
  reportWeights(setting: () => ChainState['weights']): void;
  close(): Promise<void>;
}

export interface LiveChainOptions {
  readonly parameters: ChainParameters;
  readonly now: () => number;
  readonly log: Log;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** How long an answer holds: joins come in bursts, and registrations change a few times an hour. */
const REMEMBERED_MS = { some: 60_000, none: 10_000 } as const;
const MAX_REMEMBERED = 10_000;

const isChainError = (error: unknown): error is ChainError => error instanceof Error && error.name === 'ChainError';

function asUnreachable(error: unknown): unknown {
  return isChainError(error) ? new ChainUnreachableError(error.message, { cause: error }) : error;
}

/** Answers of the chain by key, each kept for a short while. */
function remembered<T>(ask: (key: string) => Promise<T | null>, now: () => number): (key: string) => Promise<T | null> {
  const answers = new Map<string, { readonly answer: T | null; readonly until: number }>();
  return async (key) => {
    const held = answers.get(key);
    if (held && held.until > now()) return held.answer;
    const answer = await ask(key).catch((error: unknown) => {
      throw asUnreachable(error);
    });
    if (answers.size >= MAX_REMEMBERED) answers.clear();
    answers.set(key, { answer, until: now() + (answer === null ? REMEMBERED_MS.none : REMEMBERED_MS.some) });
    return answer;
  };
}

/** Begins to connect, and goes on trying: a validator may start before any node answers. */
export function followRunChain({ parameters, now, log }: LiveChainOptions): LiveChain {
  const { netuid, endpoints, genesisHash } = parameters;
  const listeners = new Set<(head: FinalisedBlock) => void>();
  const abort = new AbortController();
  let newest: FinalisedBlock | undefined;
  let heardAt: number | undefined;
  let current: SubtensorChain | undefined;
  let connections = 0;

  function heard(head: FinalisedBlock): void {
    newest = head;
    heardAt = now();
    for (const listener of [...listeners]) listener(head);
  }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      abort.signal.addEventListener('abort', wake, { once: true });
    });

  async function connect(): Promise<SubtensorChain> {
    // Runs without a chain load no chain library.
    const { connectChain } = await import('../../../chain/connect.ts');
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(LAST_RETRY_MS, 2 * retryMs)) {
      abort.signal.throwIfAborted();
      try {
        const chain = await connectChain({ endpoints, genesisHash });
        if (abort.signal.aborted) await chain.close();
        abort.signal.throwIfAborted();
        return chain;
      } catch (error) {
        if (!isChainError(error)) throw error;
        log.warn({ err: error }, 'the chain cannot be reached');
        await pause(retryMs);
      }
    }
  }

  const connection = connect().then((chain) => {
    current = chain;
    connections = 1;
    chain.onStatus((status) => {
      if (status.kind === 'connected') connections++;
      if (status.kind !== 'disconnected') log.info({ chain: status }, 'chain');
      else log.warn({ chain: status }, 'the chain’s node is gone');
    });
    chain.followHeads(heard);
    return chain;
  });
  // Whoever waits for it hears of it; closing while connecting is no failure.
  connection.catch(() => undefined);

  function connected(): SubtensorChain {
    if (!current) throw new ChainUnreachableError('no node of the chain has answered yet');
    return current;
  }

  let settingOf: () => ChainState['weights'] = () => null;

  return {
    connection,
    reportWeights: (setting) => (settingOf = setting),
    state() {
      const status = current?.status();
      const connected = status?.kind === 'connected' ? status : undefined;
      return {
        genesisHash,
        netuid,
        endpoint: connected?.endpoint ?? null,
        specVersion: connected?.specVersion ?? null,
        head: newest ?? null,
        weights: settingOf(),
      };
    },
    heardAt: () => heardAt,
    connections: () => connections,
    head: () => newest,
    onHead(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reached(number, signal) {
      return new Promise((resolve, reject) => {
        if (newest && newest.number >= number) {
          resolve(newest);
          return;
        }
        const stop = this.onHead((head) => {
          if (head.number < number) return;
          done();
          resolve(head);
        });
        const onAbort = (): void => {
          done();
          reject(signal.reason as Error);
        };
        const done = (): void => {
          stop();
          signal.removeEventListener('abort', onAbort);
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort);
      });
    },
    async hashOf(number) {
      try {
        return await connected().blockHash(number);
      } catch (error) {
        throw asUnreachable(error);
      }
    },
    registration: remembered(async (hotkey) => connected().registration(netuid, hotkey), now),
    ownerOf: remembered(async (hotkey) => connected().ownerOf(hotkey), now),
    async close() {
      abort.abort(new DOMException('the validator stops', 'AbortError'));
      await connection.then((chain) => chain.close()).catch(() => undefined);
    },
  };
}
