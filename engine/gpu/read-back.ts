/** What is in a device's buffers, brought to this process. */
import type { GpuBuffers } from './buffers.ts';

interface Source {
  readonly device: GPUDevice;
  readonly buffers: GpuBuffers;
}

/** Bytes that are in flight from the device at once. */
const STAGING_BYTES = 32 * 2 ** 20;

/** Fills `target` with a buffer's first bytes as they are when all that was submitted before has run. */
export async function readBytes({ device, buffers }: Source, source: GPUBuffer, target: Uint8Array): Promise<void> {
  const staging = buffers.make(
    Math.min(STAGING_BYTES, target.length),
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  );
  try {
    for (let at = 0; at < target.length; at += STAGING_BYTES) {
      const bytes = Math.min(STAGING_BYTES, target.length - at);
      const words = Math.ceil(bytes / 4);
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, at, staging, 0, 4 * words);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, 4 * words);
      target.set(new Uint8Array(staging.getMappedRange(0, 4 * words), 0, bytes), at);
      staging.unmap();
    }
  } finally {
    buffers.free(staging);
  }
}

/** The flat values of buffers that hold them one after another. @param parts in order, sizes in elements */
export async function readFloats(
  from: Source,
  parts: readonly { readonly buffer: GPUBuffer; readonly size: number }[],
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(parts.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { buffer, size } of parts) {
    await readBytes(from, buffer, new Uint8Array(values.buffer, 4 * at, 4 * size));
    at += size;
  }
  return values;
}

/** A buffer's first word. */
export async function readWord(from: Source, buffer: GPUBuffer): Promise<number> {
  const word = new Uint32Array(1);
  await readBytes(from, buffer, new Uint8Array(word.buffer));
  return word[0]!;
}
