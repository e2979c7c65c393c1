/** Changing a message without its sender: decoded, changed value by value, and compressed anew. */
import { chunkGrid, chunkRowStart } from '../../core/numerics/chunks.ts';
import { createBlockTransform } from '../../core/numerics/dct.ts';
import type { Scheme } from '../../core/scheme/scheme.ts';

/** A kept value and its place in its chunk. */
export interface KeptValue {
  readonly index: number;
  readonly value: number;
}

/**
 * A body with changed values. Compressing is what any contributor does, so the result is valid whatever was changed; it
 * equals an unchanged one but for the rounding of a second quantisation.
 *
 * @param change of each kept value; `length` is how many values its chunk has
 */
export function reencode(
  scheme: Scheme,
  body: Uint8Array,
  change: (kept: KeptValue, length: number) => KeptValue,
): Uint8Array<ArrayBuffer> {
  const { layout, parameters } = scheme;
  const { tensors } = scheme.decodeBody(body);
  const work = new Float32Array(layout.total);
  layout.parameters.forEach((spec, tensor) => {
    const { indices, values } = tensors[tensor]!;
    const grid = chunkGrid(spec, parameters.chunk, parameters.topK);
    const isDct = parameters.name === 'decoupled-momentum';
    const transform = isDct ? createBlockTransform(grid.rows, grid.columns) : undefined;
    const block = new Float32Array(grid.length);
    for (let chunk = 0; chunk < grid.count; chunk++) {
      block.fill(0);
      for (let i = chunk * grid.kept; i < (chunk + 1) * grid.kept; i++) {
        const { index, value } = change({ index: indices[i]!, value: values[i]! }, grid.length);
        block[index] = value;
      }
      transform?.inverse(block, block);
      for (let row = 0; row < grid.rows; row++) {
        const start = chunkRowStart(grid, chunk, row);
        work.set(block.subarray(row * grid.columns, (row + 1) * grid.columns), start);
      }
    }
  });
  return scheme.createContributor().compress(work, 1);
}
