/**
 * Counts what goes to WebGPU, whoever calls it: the interface's own methods are wrapped, once a process or worker. So
 * the same numbers are taken of every contender, without its help.
 */
export interface GpuMeter {
  /** Dispatches until now. */
  readonly dispatches: number;
  /** Highest sum of bytes of buffers alive at once. A buffer that is never destroyed counts until the end. */
  readonly peakBytes: number;
}

type Method = (this: unknown, ...args: never[]) => unknown;

/** Has every call of a method told, after it was made. */
function observe(prototype: object, name: string, tell: (self: unknown, result: unknown) => void): void {
  const methods = prototype as Record<string, Method>;
  const method = methods[name]!;
  methods[name] = function (...args) {
    const result = method.apply(this, args);
    tell(this, result);
    return result;
  };
}

/** @throws ReferenceError where there is no WebGPU */
export function installGpuMeter(): GpuMeter {
  let dispatches = 0;
  let bytes = 0;
  let peakBytes = 0;
  const alive = new WeakMap<GPUBuffer, number>();
  observe(GPUDevice.prototype, 'createBuffer', (_, buffer) => {
    const { size } = buffer as GPUBuffer;
    alive.set(buffer as GPUBuffer, size);
    bytes += size;
    peakBytes = Math.max(peakBytes, bytes);
  });
  observe(GPUBuffer.prototype, 'destroy', (buffer) => {
    bytes -= alive.get(buffer as GPUBuffer) ?? 0;
    alive.delete(buffer as GPUBuffer);
  });
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
    observe(GPUComputePassEncoder.prototype, name, () => dispatches++);
  }
  return {
    get dispatches() {
      return dispatches;
    },
    get peakBytes() {
      return peakBytes;
    },
  };
}
