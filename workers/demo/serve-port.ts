/** The validator's end of the ports of port-fetch.ts. */
import type { ValidatorEvent } from '../../core/protocol/api.ts';
import type { PortAnswer, PortRequest } from '../shared/port-fetch.ts';

export interface PortService {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly subscribe: (listener: (event: ValidatorEvent) => void) => () => void;
  /** What a new listener hears first. */
  readonly greeting: () => ValidatorEvent;
}

/** @param service requests that come before it is ready wait for it */
export function servePort(port: MessagePort, service: Promise<PortService>): void {
  const cancelled = new Set<number>();
  const running = new Set<number>();
  const send = (answer: PortAnswer, transfer: Transferable[] = []): void => port.postMessage(answer, transfer);

  async function respond(request: Extract<PortRequest, { type: 'request' }>): Promise<void> {
    const { id } = request;
    running.add(id);
    try {
      const response = await (await service).fetch(arrived(request));
      const body = new Uint8Array(await response.arrayBuffer());
      if (cancelled.has(id)) return;
      send({ type: 'response', id, status: response.status, headers: [...response.headers], body }, [body.buffer]);
    } catch (error) {
      send({ type: 'failure', id, message: error instanceof Error ? error.message : String(error) });
    } finally {
      running.delete(id);
      cancelled.delete(id);
    }
  }

  async function tell(): Promise<void> {
    const { subscribe, greeting } = await service;
    const news = (event: ValidatorEvent): void =>
      send({ type: 'news', event: event.type, data: JSON.stringify(event) });
    subscribe(news);
    news(greeting());
  }

  port.onmessage = ({ data }: MessageEvent<PortRequest>) => {
    switch (data.type) {
      case 'request':
        void respond(data);
        return;
      case 'cancel':
        if (running.has(data.id)) cancelled.add(data.id);
        return;
      case 'subscribe':
        // A demonstration that fails to open says so to the page by itself.
        tell().catch(() => undefined);
        return;
    }
  };
}

/** What a server makes of a request: its length is among the headers, and its body is a stream in every browser. */
function arrived({ url, method, headers, body }: Extract<PortRequest, { type: 'request' }>): Request {
  const request = new Request(url, { method, body });
  const received = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  if (body) received.set('content-length', String(body.length));
  Object.defineProperty(request, 'headers', { value: received });
  // Firefox has no streams of requests' bodies.
  if (body && !(request as Partial<Request>).body) {
    Object.defineProperty(request, 'body', { value: new Response(body).body });
  }
  return request;
}
