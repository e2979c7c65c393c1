import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChannelWorker } from './channel-worker.ts';
import { connectWorker, RpcError, type Connection } from './rpc.ts';

type Api = {
  connect(events: MessagePort, life: string): Promise<boolean>;
  double(value: number): Promise<number>;
  fail(): Promise<never>;
  hang(): Promise<void>;
};

function createWorker(holdsLife = false): ChannelWorker {
  const api = {
    double: (value: number) => Promise.resolve(value * 2),
    fail: () => Promise.reject(new RangeError('out of range')),
    hang: () => new Promise(() => undefined),
  };
  return new ChannelWorker(api, holdsLife);
}

let open: Connection<Api> | undefined;

afterEach(() => open?.close());

function connect(worker: ChannelWorker, deadlineMs = 2_000, locks?: Pick<LockManager, 'request'>) {
  const onEvent = vi.fn<(event: { word: string }) => void>();
  const onDeath = vi.fn<(error: RpcError) => void>();
  const deadlinesMs = { double: deadlineMs, fail: deadlineMs, hang: deadlineMs };
  const connection = connectWorker<Api, { word: string }>(worker, {
    deadlinesMs,
    onEvent,
    onDeath,
    ...(locks ? { locks } : {}),
  });
  open = connection;
  return { connection, onEvent, onDeath };
}

describe('rpc', () => {
  it('calls, and passes errors on', async () => {
    const { connection } = connect(createWorker());
    await expect(connection.call('double', 21)).resolves.toBe(42);
    await expect(connection.call('fail')).rejects.toThrow('out of range');
  });

  it('delivers events', async () => {
    const worker = createWorker();
    const { connection, onEvent } = connect(worker);
    await connection.call('double', 1);
    worker.emit({ word: 'hello' });
    await vi.waitFor(() => expect(onEvent).toHaveBeenCalledWith({ word: 'hello' }));
  });

  it('gives up on a call at its deadline, and the connection lives on', async () => {
    const { connection, onDeath } = connect(createWorker(), 60);
    await expect(connection.call('hang')).rejects.toMatchObject({ failure: 'deadline' });
    await expect(connection.call('double', 2)).resolves.toBe(4);
    expect(onDeath).not.toHaveBeenCalled();
  });

  it('rejects everything pending when the worker dies, and says so once', async () => {
    const worker = createWorker();
    const { connection, onDeath } = connect(worker);
    await connection.call('double', 1);
    const hanging = connection.call('hang');
    worker.die('out of memory');
    worker.die('out of memory');
    await expect(hanging).rejects.toMatchObject({ failure: 'died' });
    await expect(connection.call('double', 1)).rejects.toBeInstanceOf(RpcError);
    expect(worker.terminated).toBe(true);
    expect(onDeath).toHaveBeenCalledTimes(1);
    expect(onDeath.mock.calls[0]![0].message).toContain('out of memory');
  });

  it('notices a worker that is gone without a word', async () => {
    let free = (): void => undefined;
    const asked: string[] = [];
    const request = async (name: string, { signal }: { signal: AbortSignal }, gone: () => void): Promise<void> => {
      asked.push(name);
      await new Promise<void>((resolve) => (free = resolve));
      if (!signal.aborted) gone();
    };
    const locks = { request: request as unknown as LockManager['request'] };
    const { connection, onDeath } = connect(createWorker(true), 2_000, locks);
    await connection.call('double', 1);
    expect(asked).toEqual([expect.stringMatching(/^gauntlet-worker .{36}$/)]);
    const hanging = connection.call('hang');
    free();
    await expect(hanging).rejects.toMatchObject({ failure: 'died' });
    expect(onDeath).toHaveBeenCalledTimes(1);
  });

  it('rejects everything pending when closed, which is no death', async () => {
    const { connection, onDeath } = connect(createWorker());
    const hanging = connection.call('hang');
    connection.close();
    await expect(hanging).rejects.toMatchObject({ failure: 'closed' });
    expect(onDeath).not.toHaveBeenCalled();
  });
});
