/** A line between the page and its validator that a test can cut: in the middle of a body, or for as long as it likes. */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface Line {
  readonly url: string;
  /**
   * Cuts the connection of the next request with this method and path, after so many bytes of its body went up or of its
   * answer came down.
   *
   * @returns resolves when that has happened
   */
  cutNext(what: { readonly method: string; readonly path: RegExp; readonly way: 'up' | 'down' }): Promise<void>;
  /** Where the validator is from now on; undefined: nobody answers. */
  leadTo(url: string | undefined): void;
}

/** Enough for the head of a request or an answer, and the beginning of a body. */
const BYTES_BEFORE_CUT = 2_000;
const REQUEST = /^([A-Z]+) (\S+) HTTP/;

/** @returns what `work` does */
export async function withLine<T>(validatorUrl: string, work: (line: Line) => Promise<T>): Promise<T> {
  let target: URL | undefined = new URL(validatorUrl);
  let cut: { method: string; path: RegExp; way: 'up' | 'down'; done: () => void } | undefined;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };

  const server = createServer((client) => {
    hold(client);
    if (!target) return void client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    hold(upstream);
    const both = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on('close', both);
    upstream.on('close', both);
    let cutting: typeof cut;
    let left = BYTES_BEFORE_CUT;
    const pass = (way: 'up' | 'down', to: Socket, bytes: Buffer): void => {
      if (cutting?.way !== way) return void to.write(bytes);
      const some = bytes.subarray(0, left);
      left -= some.length;
      to.write(some);
      if (left > 0) return;
      cutting.done();
      both();
    };
    client.on('data', (bytes: Buffer) => {
      const [, method, path] = REQUEST.exec(bytes.subarray(0, 1_000).toString('latin1')) ?? [];
      if (cut && !cutting && method === cut.method && cut.path.test(path ?? '')) {
        cutting = cut;
        cut = undefined;
      }
      pass('up', upstream, bytes);
    });
    upstream.on('data', (bytes: Buffer) => pass('down', client, bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      cutNext: (what) => new Promise((done) => (cut = { ...what, done })),
      leadTo(url) {
        target = url === undefined ? undefined : new URL(url);
        for (const socket of sockets) socket.destroy();
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
