import { expose, type Endpoint } from 'comlink';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectWorker, RpcError, type Connection, type WorkerLike } from './rpc.ts';

type Api = {
  connect(events: MessagePort): void;
  double(value: number): Promise<number>;
  fail(): Promise<never>;
  hang(): Promise<void>;
  announce(word: string): void;
};

/** A worker without a thread: the other end of a channel, whose errors tests can raise. */
class FakeWorker implements WorkerLike {
  readonly signals = new EventTarget();
  readonly #channel = new MessageChannel();
  terminated = false;
  events: MessagePort | undefined;

  constructor(takesPort = true) {
    const api: Api = {
      connect: (events) => {
        this.events = events;
      },
      double: (value) => Promise.resolve(value * 2),
      fail: () => Promise.reject(new RangeError('out of range')),
      hang: () => new Promise(() => undefined),
      announce: (word) => this.events?.postMessage({ word }),
    };
    if (takesPort) expose(api, this.#channel.port2 as unknown as Endpoint);
    this.#channel.port1.start();
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#channel.port1.postMessage(message, transfer);
  }

  addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    (type === 'message' ? this.#channel.port1 : this.signals).addEventListener(type, listener as EventListener);
  }

  removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    (type === 'message' ? this.#channel.port1 : this.signals).removeEventListener(type, listener as EventListener);
  }

  terminate(): void {
    this.terminated = true;
    this.#channel.port1.close();
    this.events?.close();
  }
}

let open: Connection<Api> | undefined;

afterEach(() => open?.close());

function connect(worker: FakeWorker, deadlineMs = 2_000) {
  const onEvent = vi.fn<(event: { word: string }) => void>();
  const onDeath = vi.fn<(error: RpcError) => void>();
  const deadlinesMs = { double: deadlineMs, fail: deadlineMs, hang: deadlineMs, announce: deadlineMs };
  const connection = connectWorker<Api, { word: string }>(worker, { deadlinesMs, onEvent, onDeath });
  open = connection;
  return { connection, onEvent, onDeath };
}

describe('rpc', () => {
  it('calls, and passes errors on', async () => {
    const { connection } = connect(new FakeWorker());
    await expect(connection.call('double', 21)).resolves.toBe(42);
    await expect(connection.call('fail')).rejects.toThrow('out of range');
  });

  it('delivers events', async () => {
    const { connection, onEvent } = connect(new FakeWorker());
    await connection.call('announce', 'hello');
    await vi.waitFor(() => expect(onEvent).toHaveBeenCalledWith({ word: 'hello' }));
  });

  it('gives up on a call at its deadline, and the connection lives on', async () => {
    const { connection, onDeath } = connect(new FakeWorker(), 60);
    await expect(connection.call('hang')).rejects.toMatchObject({ failure: 'deadline' });
    await expect(connection.call('double', 2)).resolves.toBe(4);
    expect(onDeath).not.toHaveBeenCalled();
  });

  it('rejects everything pending when the worker dies, and says so once', async () => {
    const worker = new FakeWorker();
    const { connection, onDeath } = connect(worker);
    await connection.call('double', 1);
    const hanging = connection.call('hang');
    const event = Object.assign(new Event('error'), { message: 'out of memory' });
    worker.signals.dispatchEvent(event);
    worker.signals.dispatchEvent(event);
    await expect(hanging).rejects.toMatchObject({ failure: 'died' });
    await expect(connection.call('double', 1)).rejects.toBeInstanceOf(RpcError);
    expect(worker.terminated).toBe(true);
    expect(onDeath).toHaveBeenCalledTimes(1);
    expect(onDeath.mock.calls[0]![0].message).toContain('out of memory');
  });

  it('rejects everything pending when closed, which is no death', async () => {
    const { connection, onDeath } = connect(new FakeWorker());
    const hanging = connection.call('hang');
    connection.close();
    await expect(hanging).rejects.toMatchObject({ failure: 'closed' });
    expect(onDeath).not.toHaveBeenCalled();
  });
});
