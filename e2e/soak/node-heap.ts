/** The heap of another Node process after a forced collection, asked of its inspector. */
import WebSocket from 'ws';
import { eventually, type RunningValidator } from '../app/running-validator.ts';

/** Makes Node's inspector listen on a port of its own once it is woken by a signal. */
export const INSPECTABLE = ['--inspect-port=127.0.0.1:0'] as const;

export interface NodeHeap {
  /** Bytes of JavaScript objects and of the array buffers they hold, on the main thread. */
  read(): Promise<{ readonly heapBytes: number; readonly backingBytes: number }>;
  close(): void;
}

/** @param validator started with `INSPECTABLE` */
export async function openNodeHeap({ pid, output }: RunningValidator): Promise<NodeHeap> {
  process.kill(pid, 'SIGUSR1');
  const address = await eventually(
    () => Promise.resolve(/Debugger listening on (ws:\S+)/.exec(output())?.[1]),
    30_000,
    'the inspector',
  );
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  let asked = 0;
  const ask = <T>(method: string): Promise<T> => {
    const id = ++asked;
    return new Promise((resolve, reject) => {
      const listen = (data: WebSocket.RawData): void => {
        const answer = JSON.parse((data as Buffer).toString()) as {
          id?: number;
          result?: T;
          error?: { message: string };
        };
        if (answer.id !== id) return;
        socket.off('message', listen);
        if (answer.error) reject(new Error(answer.error.message));
        else resolve(answer.result as T);
      };
      socket.on('message', listen);
      socket.send(JSON.stringify({ id, method }));
    });
  };
  return {
    async read() {
      await ask('HeapProfiler.collectGarbage');
      const { usedSize, backingStorageSize = 0 } = await ask<{ usedSize: number; backingStorageSize?: number }>(
        'Runtime.getHeapUsage',
      );
      return { heapBytes: usedSize, backingBytes: backingStorageSize };
    },
    close: () => socket.close(),
  };
}
