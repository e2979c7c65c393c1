/** Both ends of a port: requests as over a network, and news as of an EventSource. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClockState, ValidatorEvent } from '../../core/protocol/api.ts';
import { portFetch, PortEventSource } from '../shared/port-fetch.ts';
import { servePort, type PortService } from './serve-port.ts';

const URL_HERE = 'https://here.invalid/v1/thing?a=1';
const clockOf = (window: number): ValidatorEvent => ({ type: 'clock', clock: { window } as ClockState });
const ports: MessagePort[] = [];

/** @returns the page's end of a service */
function connect(service: Promise<PortService>): MessagePort {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  servePort(port2, service);
  return port1;
}

function serviceOf(fetch: PortService['fetch']): { service: PortService; say: (event: ValidatorEvent) => void } {
  const listeners = new Set<(event: ValidatorEvent) => void>();
  return {
    service: {
      fetch,
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      greeting: () => clockOf(1),
    },
    say: (event) => {
      for (const listener of listeners) listener(event);
    },
  };
}

const fetchOf = (fetch: PortService['fetch']): typeof globalThis.fetch =>
  portFetch(connect(Promise.resolve(serviceOf(fetch).service)));

afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

describe('a request over a port', () => {
  it('arrives with its method, address, headers and bytes, and so does the answer', async () => {
    const echo = fetchOf(async (request) => {
      const body = new Uint8Array(await request.arrayBuffer());
      const { method, url, headers } = request;
      const length = headers.get('content-length') ?? 'none';
      const seen = { 'x-seen': `${method} ${url} ${headers.get('x-own')} ${length}` };
      return new Response(body, { status: 207, headers: seen });
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
        const body = new Uint8Array(bytes);
        const response = await echo(URL_HERE, { method: 'PUT', body, headers: { 'x-own': 'yes' } });
        expect(response.status).toBe(207);
        const length = bytes.length === 0 ? 'none' : String(bytes.length);
        expect(response.headers.get('x-seen')).toBe(`PUT ${URL_HERE} yes ${length}`);
        expect(new Uint8Array(await response.arrayBuffer())).toEqual(body);
      }),
      { numRuns: 20 },
    );
  });

  it('waits for a service that is not ready, and fails as a network does when there will be none', async () => {
    let ready: (service: PortService) => void = () => undefined;
    const early = portFetch(connect(new Promise((resolve) => (ready = resolve))));
    const answer = early(URL_HERE);
    ready(serviceOf(() => new Response('late')).service);
    expect(await (await answer).text()).toBe('late');
    const failed = Promise.reject<PortService>(new Error('no room'));
    failed.catch(() => undefined);
    const never = portFetch(connect(failed));
    await expect(never(URL_HERE)).rejects.toThrow(new TypeError('no room'));
  });

  it('has no body where its status has none', async () => {
    const response = await fetchOf(() => new Response(null, { status: 304 }))(URL_HERE);
    expect([response.status, response.body]).toEqual([304, null]);
  });

  it('ends with the reason of whoever aborts it, and others are answered all the same', async () => {
    const release: (() => void)[] = [];
    const fetch = fetchOf(async ({ url }) => {
      if (url.endsWith('slow')) await new Promise<void>((resolve) => release.push(resolve));
      return new Response(url);
    });
    const abort = new AbortController();
    const slow = fetch('https://here.invalid/slow', { signal: abort.signal });
    await expect.poll(() => release.length, { interval: 5 }).toBe(1);
    abort.abort(new Error('not needed'));
    await expect(slow).rejects.toThrow('not needed');
    release[0]!();
    expect(await (await fetch('https://here.invalid/next')).text()).toBe('https://here.invalid/next');
    const before = AbortSignal.abort(new Error('never begun'));
    await expect(fetch(URL_HERE, { signal: before })).rejects.toThrow('never begun');
  });
});

describe('news over a port', () => {
  it('begin with a greeting, and go to the listeners of their kind', async () => {
    const { service, say } = serviceOf(() => new Response());
    const source = new PortEventSource(connect(Promise.resolve(service)));
    const heard: string[] = [];
    source.onopen = () => heard.push('open');
    source.addEventListener('clock', ({ data }) => heard.push(data));
    await expect.poll(() => heard.length, { interval: 5 }).toBe(2);
    say({ type: 'leaderboard', window: 3 });
    say(clockOf(2));
    await expect.poll(() => heard.length, { interval: 5 }).toBe(3);
    expect(heard).toEqual(['open', JSON.stringify(clockOf(1)), JSON.stringify(clockOf(2))]);
    source.close();
  });
});
