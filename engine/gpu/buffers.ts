/** Buffers of one device, counted, so that a leak is a number a test can see. */

/** onnxruntime-web binds buffers in units of this many bytes. */
const ALIGNMENT_BYTES = 16;

export interface GpuBuffers {
  /** Buffers that were made and not freed. */
  readonly live: number;
  /** A zeroed buffer of at least so many bytes. */
  make(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer;
  free(buffer: GPUBuffer): void;
  freeAll(): void;
}

export function createGpuBuffers(device: GPUDevice): GpuBuffers {
  const live = new Set<GPUBuffer>();
  return {
    get live() {
      return live.size;
    },
    make(bytes, usage) {
      const size = Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
      const buffer = device.createBuffer({ size, usage });
      live.add(buffer);
      return buffer;
    },
    free(buffer) {
      buffer.destroy();
      live.delete(buffer);
    },
    freeAll() {
      for (const buffer of live) buffer.destroy();
      live.clear();
    },
  };
}

/** Storage buffers that are freed together, and can be copied from and to. */
export interface OwnBuffers {
  /** Of all of them. */
  readonly bytes: number;
  make(bytes: number, usage?: GPUBufferUsageFlags): GPUBuffer;
  upload(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer;
  dispose(): void;
}

export function createOwnBuffers(device: GPUDevice, buffers: GpuBuffers): OwnBuffers {
  const own: GPUBuffer[] = [];
  const make = (bytes: number, usage: GPUBufferUsageFlags = GPUBufferUsage.STORAGE): GPUBuffer => {
    const buffer = buffers.make(bytes, usage | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    own.push(buffer);
    return buffer;
  };
  return {
    get bytes() {
      return own.reduce((sum, { size }) => sum + size, 0);
    },
    make,
    upload(data) {
      const buffer = make(data.byteLength);
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    },
    dispose() {
      for (const buffer of own) buffers.free(buffer);
      own.length = 0;
    },
  };
}
