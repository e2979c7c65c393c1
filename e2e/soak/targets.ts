/** What the browser's own instruments say of a page and of each worker in it: their heaps after a forced collection. */
import type { CDPSession, Page } from '@playwright/test';

export interface Heap {
  /** JavaScript objects. */
  readonly heapBytes: number;
  /** What they hold outside of the heap: array buffers. */
  readonly backingBytes: number;
}

interface Holdings {
  /** Memory of WebAssembly instances. */
  readonly wasmBytes: number;
  readonly gpuBuffers: number;
  readonly gpuBytes: number;
}

export interface WorkerHeap extends Heap, Holdings {
  /** Counts up with each worker that the page has started: another number is another worker. */
  readonly life: number;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

export interface Targets {
  /** The page, with the number of its nodes and listeners. */
  page(): Promise<Heap & { readonly nodes: number; readonly listeners: number }>;
  /** The newest worker of this name; undefined while there is none. */
  worker(name: string): Promise<WorkerHeap | undefined>;
}

interface Attached {
  readonly name: string;
  readonly life: number;
  readonly ask: <T>(method: string, parameters?: object) => Promise<T>;
  /** Whether the worker has ended. */
  readonly gone: () => boolean;
}

const ANSWER_MS = 60_000;

/** Follows a page's workers from now on: to be called before it is opened. */
export async function followTargets(page: Page): Promise<Targets> {
  const devtools = await page.context().newCDPSession(page);
  const attached = await followWorkers(devtools);
  await devtools.send('Performance.enable');

  return {
    async page() {
      await devtools.send('HeapProfiler.collectGarbage');
      const heap = heapOf(await devtools.send('Runtime.getHeapUsage'));
      const { metrics } = await devtools.send('Performance.getMetrics');
      const metric = (name: string): number => metrics.find((each) => each.name === name)?.value ?? 0;
      return { ...heap, nodes: metric('Nodes'), listeners: metric('JSEventListeners') };
    },
    async worker(name) {
      const target = [...attached.values()].findLast((each) => each.name === name);
      if (!target) return undefined;
      const { ask, life, gone } = target;
      try {
        return await read();
      } catch (error) {
        if (gone()) return undefined;
        throw error;
      }

      async function read(): Promise<WorkerHeap> {
        await ask('HeapProfiler.collectGarbage');
        const heap = heapOf(await ask<HeapUsage>('Runtime.getHeapUsage'));
        const { result } = await ask<{ result: { value: Holdings } }>('Runtime.evaluate', {
          expression: 'holdings()',
          returnByValue: true,
        });
        return { life, ...heap, ...result.value };
      }
    },
  };
}

const heapOf = ({ usedSize, backingStorageSize = 0 }: HeapUsage): Heap => ({
  heapBytes: usedSize,
  backingBytes: backingStorageSize,
});

/**
 * Counts what a worker holds, from before its script runs: memories of WebAssembly and buffers of a GPU. Held weakly, so
 * that counting keeps nothing.
 */
function countHoldings(): void {
  const scope = globalThis as typeof globalThis & { holdings?: () => Holdings };
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  const buffers = new Set<WeakRef<GPUBuffer>>();

  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(new WeakRef(this));
    }
  };
  if ('GPUDevice' in scope) {
    const device = GPUDevice.prototype as {
      createBuffer: (this: GPUDevice, descriptor: GPUBufferDescriptor) => GPUBuffer;
    };
    const { createBuffer } = device;
    device.createBuffer = function (descriptor) {
      const buffer = createBuffer.call(this, descriptor);
      const held = new WeakRef(buffer);
      buffers.add(held);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        buffers.delete(held);
        destroy();
      };
      return buffer;
    };
  }
  scope.holdings = () => {
    const live = [...buffers].flatMap((held) => held.deref() ?? []);
    return {
      wasmBytes: memories.reduce((sum, held) => sum + (held.deref()?.buffer.byteLength ?? 0), 0),
      gpuBuffers: live.length,
      gpuBytes: live.reduce((sum, { size }) => sum + size, 0),
    };
  };
}

/**
 * Messages to a worker are wrapped in the page's own session, because Playwright's sessions do not pass on those of
 * their targets.
 */
async function followWorkers(devtools: CDPSession): Promise<ReadonlyMap<string, Attached>> {
  const attached = new Map<string, Attached>();
  const answers = new Map<string, (answer: { result?: unknown; error?: { message: string } }) => void>();
  let life = 0;
  let messages = 0;

  const ends = new Map<string, AbortController>();

  devtools.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    const end = new AbortController();
    const ended = end.signal;
    ends.set(sessionId, end);
    const ask = async <T>(method: string, parameters: object = {}): Promise<T> => {
      const id = ++messages;
      const key = `${sessionId} ${id}`;
      const answered = new AbortController();
      try {
        return await new Promise<T>((resolve, reject) => {
          answers.set(key, ({ result, error }) => {
            if (error) reject(new Error(`${method}: ${error.message}`));
            else resolve(result as T);
          });
          const complain = (): void => reject(new Error(`${method}: no answer from ${targetInfo.url}`));
          setTimeout(complain, ANSWER_MS).unref();
          ended.addEventListener('abort', complain, { once: true, signal: answered.signal });
          const message = JSON.stringify({ id, method, params: parameters });
          devtools.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
        });
      } finally {
        answers.delete(key);
        answered.abort();
      }
    };
    // It waits to be told to go on, and may be gone before it is.
    void ask<{ result: { value: string } }>('Runtime.evaluate', { expression: `(${countHoldings.toString()})(), name` })
      .then(({ result: { value: name } }) => {
        if (targetInfo.type === 'worker')
          attached.set(sessionId, { name, life: ++life, ask, gone: () => ended.aborted });
        return ask('Runtime.runIfWaitingForDebugger');
      })
      .catch(() => undefined);
  });
  devtools.on('Target.detachedFromTarget', ({ sessionId }) => {
    attached.delete(sessionId);
    ends.get(sessionId)?.abort();
    ends.delete(sessionId);
  });
  devtools.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
    const answer = JSON.parse(message) as { id?: number; result?: unknown; error?: { message: string } };
    answers.get(`${sessionId} ${answer.id}`)?.(answer);
  });
  await devtools.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: false });
  return attached;
}
