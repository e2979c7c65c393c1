/** A validator that answers in another thread of this tab: `fetch` and the stream of news over a MessagePort. */

/** What goes to the validator. */
export type PortRequest =
  | {
      readonly type: 'request';
      readonly id: number;
      readonly url: string;
      readonly method: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: Uint8Array<ArrayBuffer> | null;
    }
  /** Nobody waits for the answer any more. */
  | { readonly type: 'cancel'; readonly id: number }
  /** From now on news come over this port. */
  | { readonly type: 'subscribe' };

/** What comes back. */
export type PortAnswer =
  | {
      readonly type: 'response';
      readonly id: number;
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: 'failure'; readonly id: number; readonly message: string }
  /** As a server-sent event has it. */
  | { readonly type: 'news'; readonly event: string; readonly data: string };

/** Statuses whose responses have no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

interface Waiting {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

/**
 * `fetch` whose requests are answered by `servePort` at the port's other end. Bodies cross as a whole.
 *
 * @throws TypeError where the network's would, and the signal's reason when aborted
 */
export function portFetch(port: MessagePort): typeof fetch {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  const send = (request: PortRequest, transfer: Transferable[] = []): void => port.postMessage(request, transfer);

  port.onmessage = ({ data }: MessageEvent<PortAnswer>) => {
    if (data.type === 'news') return;
    const request = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.type === 'failure') request?.reject(new TypeError(data.message));
    else request?.resolve(responseOf(data));
  };

  return async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    const bytes = new Uint8Array(await request.arrayBuffer());
    signal.throwIfAborted();
    const id = ++last;
    return new Promise<Response>((resolve, reject) => {
      const abort = (): void => {
        if (!waiting.delete(id)) return;
        send({ type: 'cancel', id });
        // An abort's reason is an Error by convention only; whoever aborted chose it.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal.removeEventListener('abort', abort);
      waiting.set(id, {
        resolve(response) {
          settled();
          resolve(response);
        },
        reject(error) {
          settled();
          reject(error);
        },
      });
      const { url, method } = request;
      const body = bytes.length === 0 ? null : bytes;
      send({ type: 'request', id, url, method, headers: [...request.headers], body }, body ? [body.buffer] : []);
    });
  };
}

function responseOf({ status, headers, body }: Extract<PortAnswer, { type: 'response' }>): Response {
  return new Response(WITHOUT_BODY.has(status) ? null : body, {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
}

/** The part of an EventSource that the page uses, over a port of its own. */
export class PortEventSource {
  onopen: ((event: Event) => void) | null = null;
  /** Never called: a port does not break. */
  onerror: ((event: Event) => void) | null = null;
  readonly #port: MessagePort;
  readonly #listeners = new Map<string, Set<(event: MessageEvent<string>) => void>>();

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data: answer }: MessageEvent<PortAnswer>) => {
      if (answer.type !== 'news') return;
      const { event, data } = answer;
      // The validator greets each listener, so the first news say that it is there.
      this.onopen?.(new Event('open'));
      this.onopen = null;
      for (const listener of this.#listeners.get(event) ?? []) listener(new MessageEvent(event, { data }));
    };
    port.postMessage({ type: 'subscribe' } satisfies PortRequest);
  }

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  close(): void {
    this.#port.close();
  }
}
