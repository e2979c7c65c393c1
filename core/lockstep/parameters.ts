/** The flat parameter vector as bytes: fp32 little-endian in layout order, as checkpoints and the state root have it. */

const BYTES = 4;

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new Error('this machine is big-endian; parameters are exchanged as the little-endian bytes in memory');
}

/** The bytes of a vector, without a copy. */
export function parameterBytes<Buffer extends ArrayBufferLike>(parameters: Float32Array<Buffer>): Uint8Array<Buffer> {
  return new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
}

/** The vector of some bytes, as a copy. @throws RangeError when the length is not a multiple of 4 */
export function parametersFromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  if (bytes.length % BYTES !== 0) throw new RangeError(`${bytes.length} bytes are not whole fp32 values`);
  const parameters = new Float32Array(bytes.length / BYTES);
  parameterBytes(parameters).set(bytes);
  return parameters;
}

/**
 * The chunks of a vector: consecutive runs of `chunkBytes`, the last one maybe shorter; without a copy.
 *
 * @throws RangeError unless `chunkBytes` is a positive multiple of 4
 */
export function parameterChunks<Buffer extends ArrayBufferLike>(
  parameters: Float32Array<Buffer>,
  chunkBytes: number,
): Uint8Array<Buffer>[] {
  if (!Number.isInteger(chunkBytes) || chunkBytes <= 0 || chunkBytes % BYTES !== 0) {
    throw new RangeError(`chunks of ${chunkBytes} bytes are not whole fp32 values`);
  }
  const bytes = parameterBytes(parameters);
  const chunks: Uint8Array<Buffer>[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    chunks.push(bytes.subarray(start, Math.min(start + chunkBytes, bytes.length)));
  }
  return chunks;
}
