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
