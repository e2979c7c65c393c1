/** JSON-RPC 2.0 with subscriptions over a WebSocket. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import * as z from 'zod';
import { RpcError } from './extrinsics.ts';
import type { Rpc } from './rpc.ts';

const RequestSchema = z.object({
  id: z.union([z.number(), z.string()]),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});

const MAX_MESSAGE_BYTES = 4 << 20;
const PARSE_ERROR = -32700;
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

const serve = (socket: WebSocket, { methods, subscriptions }: Rpc): void => {
  const active = new Map<string, () => void>();
  let counter = 0;
  const send = (message: object): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  };
  const unsubscribes = new Set(Object.values(subscriptions).map(({ unsubscribe }) => unsubscribe));

  const answer = (method: string, params: readonly unknown[], reply: (result: unknown) => void): void => {
    const subscription = subscriptions[method];
    if (subscription !== undefined) {
      const id = `${method}-${counter++}`;
      // The subscriber has to know the id before the first notification.
      let early: unknown[] | null = [];
      const notify = (result: unknown): void => {
        if (early === null) send({ method: subscription.notification, params: { subscription: id, result } });
        else early.push(result);
      };
      active.set(id, subscription.start(params, notify));
      reply(id);
      const waiting = early;
      early = null;
      waiting.forEach(notify);
    } else if (unsubscribes.has(method)) {
      const id = String(params[0]);
      active.get(id)?.();
      reply(active.delete(id));
    } else {
      const run = methods[method];
      if (run === undefined) throw new RpcError(METHOD_NOT_FOUND, 'Method not found');
      reply(run(params));
    }
  };

  socket.on('message', (data) => {
    let id: number | string | null = null;
    try {
      const request = RequestSchema.safeParse(JSON.parse((data as Buffer).toString('utf8')));
      if (!request.success) throw new RpcError(PARSE_ERROR, 'Parse error');
      id = request.data.id;
      answer(request.data.method, request.data.params, (result) => send({ id, result }));
    } catch (error) {
      const {
        code,
        message,
        data: detail,
      } = error instanceof RpcError
        ? error
        : new RpcError(INTERNAL_ERROR, error instanceof Error ? error.message : String(error));
      send({ id, error: { code, message, ...(detail === undefined ? {} : { data: detail }) } });
    }
  });
  socket.on('close', () => active.forEach((stop) => stop()));
};

interface Endpoint {
  readonly url: string;
  readonly port: number;
  /** Cuts every connection; new ones are taken. */
  dropConnections(): void;
  close(): Promise<void>;
}

export const listen = async (rpc: Rpc, port: number): Promise<Endpoint> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: MAX_MESSAGE_BYTES });
  server.on('connection', (socket) => serve(socket, rpc));
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const dropConnections = (): void => server.clients.forEach((socket) => socket.terminate());
  return {
    url: `ws://127.0.0.1:${bound}`,
    port: bound,
    dropConnections,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      dropConnections();
      await closed;
    },
  };
};
