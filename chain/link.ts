/**
 * A connection to a chain that lasts: it goes through the endpoints in turn until one serves the right chain, and again
 * when that one is gone or falls silent. Each connection is a fresh library instance, so nothing of a dead one stays.
 */
import { ApiPromise, WsProvider } from '@polkadot/api';
import type { ApiOptions } from '@polkadot/api/types';
import { ChainError } from './errors.ts';
import type { BlockHead, ChainStatus } from './types.ts';

export interface LinkOptions {
  /** In the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** The chain that is wanted; whichever the first endpoint serves when left out. */
  readonly genesisHash?: string | undefined;
  /** What a request, and a connection, may take. */
  readonly timeoutMs: number;
  /** An endpoint without a new finalised block for this long is given up. */
  readonly silenceMs: number;
}

export interface Link {
  readonly genesisHash: string;
  status(): ChainStatus;
  onStatus(listener: (status: ChainStatus) => void): () => void;
  /** Runs work on the connection there is, or the next. @throws ChainError `unreachable` */
  use<T>(work: (api: ApiPromise) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** The newest finalised head heard of. */
  newest(): BlockHead | undefined;
  onHead(listener: (head: BlockHead) => void): () => void;
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 15_000;

/** Extensions of Subtensor's transactions that carry nothing and that the library does not know by name. */
const EMPTY_EXTENSIONS = Object.fromEntries(
  ['SubtensorTransactionExtension', 'SubtensorSignedExtension', 'CommitmentsSignedExtension', 'DrandPriority'].map(
    (name) => [name, { extrinsic: {}, payload: {} }],
  ),
);

function unreachable(endpoint: string, reason: string, cause?: unknown): ChainError {
  return new ChainError(
    'unreachable',
    `The chain’s node ${endpoint} cannot be reached: ${reason}.`,
    'Check the connection and the endpoint; it is tried again by itself.',
    { cause },
  );
}

/** @throws ChainError `unreachable` after `ms` */
async function within<T>(work: Promise<T>, ms: number, endpoint: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unreachable(endpoint, `no answer within ${Math.ceil(ms / 1_000)} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Connection {
  readonly endpoint: string;
  readonly api: ApiPromise;
  /** Rejects when the connection is over. */
  readonly ended: Promise<never>;
  readonly end: (reason: string) => void;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function open(endpoint: string, { genesisHash, timeoutMs }: LinkOptions): Promise<Connection> {
  const provider = new WsProvider(endpoint, false, {}, timeoutMs);
  let api: ApiPromise | undefined;
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    end = (reason) => reject(unreachable(endpoint, reason));
  });
  ended.catch(() => void (api ?? provider).disconnect().catch(() => undefined));
  try {
    const failed = new Promise<never>((_resolve, reject) => {
      provider.on('error', (error: unknown) => reject(unreachable(endpoint, 'it refuses the connection', error)));
      provider.on('disconnected', () => reject(unreachable(endpoint, 'it closed the connection')));
    });
    // Handled below while connecting; later a closed connection ends this one.
    failed.catch(() => end('the connection is closed'));
    const create = async (): Promise<ApiPromise> => {
      await provider.connect();
      // The library's own types disagree with each other under exactOptionalPropertyTypes.
      const options = { provider, noInitWarn: true, throwOnConnect: true, signedExtensions: EMPTY_EXTENSIONS };
      return ApiPromise.create(options as ApiOptions);
    };
    api = await within(Promise.race([create(), failed]), timeoutMs, endpoint);
    const served = api.genesisHash.toHex();
    if (genesisHash !== undefined && served !== genesisHash) {
      throw new ChainError(
        'wrong-chain',
        `${endpoint} serves another chain (genesis ${served}) than was asked for (${genesisHash}).`,
        'Choose an endpoint of the right network.',
      );
    }
    return { endpoint, api, ended, end };
  } catch (error) {
    end('it was given up');
    throw error instanceof ChainError ? error : unreachable(endpoint, messageOf(error), error);
  }
}

/** @throws ChainError `unreachable` or `wrong-chain` when no endpoint will do; the first one's reason */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { endpoints, timeoutMs, silenceMs } = options;
  const statusListeners = new Set<(status: ChainStatus) => void>();
  const headListeners = new Set<(head: BlockHead) => void>();
  let status: ChainStatus = { kind: 'connecting', endpoint: endpoints[0]! };
  let current: Connection | undefined;
  let closed = false;
  let newest: BlockHead | undefined;
  let wanted = options;
  let waiters: ((connection: Connection) => void)[] = [];
  let wake: () => void = () => undefined;

  function tell(next: ChainStatus): void {
    status = next;
    for (const listener of statusListeners) listener(next);
  }

  function heard(head: BlockHead): void {
    if (newest && head.number <= newest.number) return;
    newest = head;
    for (const listener of headListeners) listener(head);
  }

  /** Follows finalised heads; a connection without any for too long is over. */
  async function follow({ api, endpoint, end }: Connection): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => end(`no new block within ${Math.ceil(silenceMs / 1_000)} s`), silenceMs);
    };
    watch();
    void current?.ended.catch(() => clearTimeout(timer));
    const following = api.rpc.chain.subscribeFinalizedHeads((header) => {
      watch();
      heard({ number: header.number.toNumber(), hash: header.hash.toHex() });
    });
    await within(following, timeoutMs, endpoint);
  }

  async function connect(endpoint: string): Promise<Connection> {
    tell({ kind: 'connecting', endpoint });
    const connection = await open(endpoint, wanted);
    wanted = { ...options, genesisHash: connection.api.genesisHash.toHex() };
    current = connection;
    try {
      await follow(connection);
    } catch (error) {
      current = undefined;
      connection.end(messageOf(error));
      throw error;
    }
    tell({ kind: 'connected', endpoint, specVersion: connection.api.runtimeVersion.specVersion.toNumber() });
    for (const give of waiters.splice(0)) give(connection);
    return connection;
  }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** For as long as the link lasts: waits for the end of a connection, and makes the next. */
  async function goOn(first: Connection): Promise<void> {
    let connection: Connection | undefined = first;
    let turn = endpoints.indexOf(first.endpoint);
    let retryMs = FIRST_RETRY_MS;
    while (!closed) {
      const endpoint = endpoints[turn % endpoints.length]!;
      try {
        connection ??= await connect(endpoint);
        retryMs = FIRST_RETRY_MS;
        turn = endpoints.indexOf(connection.endpoint);
        await connection.ended;
      } catch (error) {
        current = undefined;
        connection = undefined;
        if (isClosed()) return;
        tell({ kind: 'disconnected', endpoint, reason: messageOf(error) });
        turn++;
        // Each endpoint gets its turn before any is waited for.
        if (turn % endpoints.length === 0 || endpoints.length === 1) {
          await pause(retryMs);
          retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
        }
      }
    }
  }
  const isClosed = (): boolean => closed;

  async function firstConnection(): Promise<Connection> {
    let reason: unknown;
    for (const endpoint of endpoints) {
      try {
        return await connect(endpoint);
      } catch (error) {
        reason ??= error;
      }
    }
    throw reason;
  }

  if (endpoints.length === 0) {
    throw new ChainError('invalid', 'There is no endpoint to connect to.', 'Name one, or a known network.');
  }
  const first = await firstConnection();
  const genesisHash = first.api.genesisHash.toHex();
  const loop = goOn(first);

  async function connected(ms: number): Promise<Connection> {
    if (closed) throw unreachable(status.endpoint, 'the connection was closed');
    if (current) return current;
    let give: (connection: Connection) => void = () => undefined;
    const next = new Promise<Connection>((resolve) => waiters.push((give = resolve)));
    try {
      return await within(next, ms, status.endpoint);
    } finally {
      waiters = waiters.filter((waiter) => waiter !== give);
    }
  }

  return {
    genesisHash,
    status: () => status,
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    async use(work, ms = timeoutMs) {
      const { api, ended, endpoint } = await connected(ms);
      try {
        return await within(Promise.race([work(api), ended]), ms, endpoint);
      } catch (error) {
        if (error instanceof ChainError) throw error;
        throw unreachable(endpoint, messageOf(error), error);
      }
    },
    newest: () => newest,
    onHead(listener) {
      headListeners.add(listener);
      return () => headListeners.delete(listener);
    },
    async close() {
      if (closed) return;
      closed = true;
      current?.end('it was closed');
      wake();
      await loop;
      statusListeners.clear();
      headListeners.clear();
    },
  };
}
