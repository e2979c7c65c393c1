/**
 * Calls into a worker. The one file of the app that knows comlink, because comlink loses replies: a proxy that is
 * collected mid-call never settles (comlink #692), nor does a call whose worker died (#601). Here every call has a
 * deadline, a dead worker rejects whatever is pending, and proxies are pinned until closed.
 */
import { releaseProxy, transfer, wrap, type Endpoint } from 'comlink';

export type RpcFailure =
  /** No answer in time; the worker may be busy or stuck. */
  | 'deadline'
  /** The worker failed to load, threw outside any call, or sent something unreadable. */
  | 'died'
  /** This side ended it. */
  | 'closed';

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly failure: RpcFailure;

  constructor(failure: RpcFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** What is needed of a `Worker`. */
export interface WorkerLike extends Endpoint {
  terminate(): void;
}

// Parameter types are contravariant, so only `never[]` accepts methods of every signature.
type Methods = Record<string, (...parameters: never[]) => unknown>;

/** The worker's interface: besides its own methods it takes a port for its events. */
type WithEvents = Methods & {
  /** @returns whether it holds the lock of that name for as long as it lives */
  connect(events: MessagePort, life: string): Promise<boolean>;
};

type MethodName<Api> = Exclude<Extract<keyof Api, string>, 'connect'>;

export interface ConnectionOptions<Api extends Methods, Event> {
  /** How long each method may take. */
  readonly deadlinesMs: { readonly [Method in MethodName<Api>]: number };
  readonly onEvent: (event: Event) => void;
  /** Called once when the worker dies by itself, after every pending call was rejected. */
  readonly onDeath: (error: RpcError) => void;
  /** The browser's, unless another is given. */
  readonly locks?: Pick<LockManager, 'request'>;
}

export interface Connection<Api extends Methods> {
  call<Method extends MethodName<Api>>(
    method: Method,
    ...parameters: Parameters<Api[Method]>
  ): Promise<Awaited<ReturnType<Api[Method]>>>;
  /** Terminates the worker at once; pending calls reject. */
  close(): void;
}

const CONNECT_DEADLINE_MS = 20_000;

/** A parameter whose values include ports, which cross only when they are handed over. */
function withPorts(parameter: unknown): unknown {
  if (typeof parameter !== 'object' || parameter === null) return parameter;
  const ports = Object.values(parameter).filter((value) => value instanceof MessagePort);
  return ports.length === 0 ? parameter : transfer(parameter, ports);
}

/** Keeps proxies reachable for as long as their worker lives. */
const pinned = new Set<object>();

export function connectWorker<Api extends WithEvents, Event>(
  worker: WorkerLike,
  options: ConnectionOptions<Api, Event>,
): Connection<Api> {
  const proxy = wrap<Methods>(worker);
  const deadlinesMs: Readonly<Record<string, number>> = options.deadlinesMs;
  const { locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks } = options;
  const pending = new Set<(error: RpcError) => void>();
  const { port1, port2 } = new MessageChannel();
  const life = `gauntlet-worker ${crypto.randomUUID()}`;
  const watch = new AbortController();
  let ended: RpcError | undefined;
  pinned.add(proxy);

  function end(error: RpcError): void {
    if (ended) return;
    ended = error;
    worker.removeEventListener('error', onError);
    worker.removeEventListener('messageerror', onMessageError);
    for (const reject of pending) reject(error);
    pending.clear();
    watch.abort();
    port1.close();
    // Releasing posts a message; a terminated worker ignores it.
    (proxy as { [releaseProxy](): void })[releaseProxy]();
    worker.terminate();
    pinned.delete(proxy);
    if (error.failure === 'died') options.onDeath(error);
  }

  function onError(event: object): void {
    const { message } = event as { message?: unknown };
    const detail = typeof message === 'string' && message !== '' ? message : 'it could not be loaded';
    end(new RpcError('died', `The training worker failed: ${detail}.`));
  }

  function onMessageError(): void {
    end(new RpcError('died', 'The training worker sent something unreadable.'));
  }

  function guarded<T>(name: string, deadlineMs: number, work: () => Promise<T>): Promise<T> {
    if (ended) return Promise.reject(ended);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(fail);
        reject(
          new RpcError('deadline', `The training worker did not answer “${name}” within ${deadlineMs / 1_000} s.`),
        );
      }, deadlineMs);
      const settle = (): void => {
        clearTimeout(timer);
        pending.delete(fail);
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      pending.add(fail);
      work().then((value) => {
        settle();
        resolve(value);
      }, fail);
    });
  }

  worker.addEventListener('error', onError);
  worker.addEventListener('messageerror', onMessageError);
  port1.onmessage = ({ data }: MessageEvent<Event>) => options.onEvent(data);
  port1.onmessageerror = onMessageError;

  const invoke = (method: string, parameters: readonly unknown[]): Promise<unknown> => {
    const remote = proxy as unknown as Record<string, (...values: readonly unknown[]) => Promise<unknown>>;
    return remote[method]!(...parameters.map(withPorts));
  };

  const connected = guarded('connect', CONNECT_DEADLINE_MS, () => invoke('connect', [transfer(port2, [port2]), life]));
  // A worker that does not even take the port is dead, whatever the reason.
  connected.then(
    (held) => {
      if (held === true) void watchLife();
    },
    (error: unknown) => end(new RpcError('died', 'The training worker did not start.', { cause: error })),
  );

  /** What is killed, or closes itself, says nothing, but lets go of its lock. */
  async function watchLife(): Promise<void> {
    const gone = (): void => end(new RpcError('died', 'The training worker is gone.'));
    await locks?.request(life, { signal: watch.signal }, gone).catch(() => undefined);
  }

  return {
    call: <Method extends MethodName<Api>>(method: Method, ...parameters: Parameters<Api[Method]>) => {
      type Answer = Awaited<ReturnType<Api[Method]>>;
      const work = async (): Promise<unknown> => {
        await connected;
        return await invoke(method, parameters);
      };
      return guarded(method, deadlinesMs[method]!, work as () => Promise<Answer>);
    },
    close: () => end(new RpcError('closed', 'The training worker was stopped.')),
  };
}
