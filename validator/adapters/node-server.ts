/** The app on a socket, with bounds on how slowly one may send, and an orderly end. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Env, Hono } from 'hono';

const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request, upload included: longer than any put phase that a line in use could fill. */
const REQUEST_TIMEOUT_MS = 180_000;
const KEEP_ALIVE_MS = 20_000;
const MAX_CONNECTIONS = 8_192;
/** Requests that are under way when the end comes have this long. */
const GRACE_MS = 3_000;

export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, finishes those under way, and ends those that do not finish. */
  close(): Promise<void>;
}

/** @throws Error when the address cannot be listened on */
export async function listen(app: Hono<Env>, { port, host }: { port: number; host: string }): Promise<RunningServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
    },
  }) as ReturnType<typeof createServer>;
  server.maxConnections = MAX_CONNECTIONS;
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
