/** What every scheme asks of the indices of a message, however they are coded. */
import type { ChunkGrid } from '../numerics/chunks.ts';
import { ProblemError } from '../protocol/problem.ts';

/**
 * Strictly ascending within each chunk, so that a message has one form and no duplicates.
 *
 * @param indices [chunks, k]
 * @throws ProblemError `index-out-of-range`, `malformed-contribution`
 */
export function assertAscending(indices: Uint16Array, { kept, length }: ChunkGrid): void {
  for (let i = 0; i < indices.length; i++) {
    if (indices[i]! >= length) {
      throw new ProblemError('index-out-of-range', `Index ${indices[i]!} lies outside its chunk of ${length}.`);
    }
    if (i % kept !== 0 && indices[i]! <= indices[i - 1]!) {
      throw new ProblemError('malformed-contribution', 'The indices of a chunk must be strictly ascending.');
    }
  }
}
