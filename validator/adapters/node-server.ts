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
  /** Between two requests of a connection, as it is told to who asks. */
  readonly keepAliveMs: number;
  /** Without a byte either way: who stops to read an answer would hold it for ever. */
  readonly idleMs: number;
  /** Connections at once; more are closed as they come. */
  readonly connections: number;
  /** How often the first two are looked after. */
  readonly checkMs: number;
  /** Requests that are under way when the end comes have this long. */
  readonly graceMs: number;
}

const DEFAULT_LIMITS: ServerLimits = {
  headersMs: 10_000,
  // Longer than any put phase that a line in use could fill.
  requestMs: 180_000,
  keepAliveMs: 20_000,
  // Four heartbeats of an event stream.
  idleMs: 60_000,
  connections: 16_384,
  checkMs: 2_000,
  graceMs: 10_000,
};
/** Connections that wait to be taken while this process is busy: a whole put phase's, or as many as the system lets. */
const BACKLOG = 4_096;
/** Connections are kept for longer than was said, by this factor: who is a moment late would ask one that is being closed. */
const KEPT_LONGER = 1.25;
/** Connections whose last request is answered while the end is coming are closed so soon. */
const CLOSE_IDLE_MS = 50;

export interface RunningServer {
  readonly url: string;
  /** Open now. */
  connections(): Promise<number>;
  /** Closed as they came, for there were as many as there may be. */
  turnedAway(): number;
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
      keepAliveTimeout: KEPT_LONGER * limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
    },
  }) as ReturnType<typeof createServer>;
  const keepAlive = `timeout=${Math.floor(limits.keepAliveMs / 1_000)}`;
  server.prependListener('request', (_request, response) => response.setHeader('keep-alive', keepAlive));
  server.timeout = limits.idleMs;
  server.maxConnections = limits.connections;
  let turnedAway = 0;
  server.on('drop', () => turnedAway++);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, family, port: actual } = server.address() as AddressInfo;
  const name = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${name}:${actual}`,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => {
          if (error) reject(error);
          else resolve(count);
        });
      }),
    turnedAway: () => turnedAway,
    close: () =>
      new Promise((resolve) => {
        const impatient = setTimeout(() => {
          server.closeAllConnections();
        }, limits.graceMs);
        const closing = setInterval(() => {
          server.closeIdleConnections();
        }, CLOSE_IDLE_MS);
        server.close(() => {
          clearTimeout(impatient);
          clearInterval(closing);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
