/** Short messages between processes over LISTEN and NOTIFY: lost while a connection is down, told in their order otherwise. */
import pg from 'pg';
import type { Log } from '../../rounds/ports.ts';

const RECONNECT_MS = 1_000;

export interface Channel {
  /** To all processes, this one too. */
  tell(message: string): void;
  /** @returns stops listening */
  onHeard(listener: (message: string) => void): () => void;
  close(): Promise<void>;
}

/** Resolves once it listens; from then on a cut connection is made anew. @param name a plain identifier */
export async function openChannel(url: string, pool: pg.Pool, name: string, log: Log): Promise<Channel> {
  const listeners = new Set<(message: string) => void>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let telling = Promise.resolve();
  let closed = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('notification', ({ payload = '' }) => {
      for (const listener of [...listeners]) listener(payload);
    });
    next.on('error', (error) => log.warn({ err: error, channel: name }, 'a connection that listens was cut'));
    next.on('end', () => {
      if (client === next) reconnect();
    });
    await next.connect();
    await next.query(`LISTEN ${name}`);
    client = next;
  }

  function reconnect(): void {
    if (closed) return;
    retry = setTimeout(() => {
      connect().catch(reconnect);
    }, RECONNECT_MS);
  }

  await connect();
  return {
    tell(message) {
      // One after the other: connections of a pool overtake each other.
      telling = telling
        .then(async () => {
          await pool.query('SELECT pg_notify($1, $2)', [name, message]);
        })
        .catch((error: unknown) => {
          log.warn({ err: error, channel: name }, 'the other processes could not be told');
        });
    },
    onHeard(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await telling;
      const last = client;
      client = undefined;
      await last?.end();
    },
  };
}
