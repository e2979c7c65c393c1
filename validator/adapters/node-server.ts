/** The app on a socket, with bounds on how slowly one may send and take, and an orderly end. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Env, Hono } from 'hono';

/** How long and how many strangers may keep a socket. */
export interface ServerLimits {
  /** Until a request's head is there, counted from the connection: those who never say anything are cut by it, too. */
  readonly headersMs: number;
  /** A whole request, upload included. */
  readonly requestMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveMs: number;
  /** Without a byte either way: who stops to read an answer would hold it for ever. */
  readonly idleMs: number;
  /** Connections at once; more are closed as they come. */
  readonly connections: number;
  /** How often the first two are looked after. */
  readonly checkMs: number;
}

const DEFAULT_LIMITS: ServerLimits = {
  headersMs: 10_000,
  // Longer than any put phase that a line in use could fill.
  requestMs: 180_000,
  keepAliveMs: 20_000,
  // Four heartbeats of an event stream.
  idleMs: 60_000,
  connections: 8_192,
  checkMs: 2_000,
};
/** Requests that are under way when the end comes have this long. */
const GRACE_MS = 3_000;

export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, finishes those under way, and ends those that do not finish. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly port: number;
  readonly host: string;
  readonly limits?: Partial<ServerLimits>;
}

/** @throws Error when the address cannot be listened on */
export async function listen(app: Hono<Env>, { port, host, limits: given }: ListenOptions): Promise<RunningServer> {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer,
    serverOptions: {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
    },
  }) as ReturnType<typeof createServer>;
  server.timeout = limits.idleMs;
  server.maxConnections = limits.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, family, port: actual } = server.address() as AddressInfo;
  const name = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${name}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        const impatient = setTimeout(() => {
          server.closeAllConnections();
        }, GRACE_MS);
        server.close(() => {
          clearTimeout(impatient);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
