/**
 * How much of what two contributions keep is the same (reference: templar 2.1 neurons.py, the check for copies). Honest
 * peers train on other data and share few indices; a copy with disturbed values shares nearly all.
 */
import type { ParameterLayout } from '../model/layout.ts';
import { chunkGrid, type ChunkGrid } from '../numerics/chunks.ts';
import type { SchemeParameters } from '../protocol/manifest.ts';
import type { SparseDelta } from '../scheme/scheme.ts';

type Tensor = SparseDelta['tensors'][number];
type Shape = Pick<SchemeParameters, 'chunk' | 'topK'>;

/** A tensor whose indices say something. */
export interface ComparedTensor {
  readonly grid: ChunkGrid;
  readonly tensor: number;
  /** Elements. */
  readonly size: number;
  /** What an index in common adds to a share. */
  readonly weight: number;
}

export function comparedTensors({ chunk, topK }: Shape, layout: ParameterLayout): ComparedTensor[] {
  const compared = layout.parameters.flatMap((spec, tensor) => {
    const grid = chunkGrid(spec, chunk, topK);
    return grid.kept < grid.length ? [{ grid, tensor, size: spec.size }] : [];
  });
  const total = compared.reduce((sum, { size }) => sum + size, 0);
  return compared.map((one) => ({ ...one, weight: one.size / total / (one.grid.count * one.grid.kept) }));
}

/**
 * For each pair the fraction of kept indices in common, averaged over the chunks of a tensor, then over tensors by their
 * size. Tensors whose chunks are sent whole do not count, since everybody sends the same of these; a chunk in which a
 * contribution is all zero has nothing in common with any other.
 *
 * @returns symmetric [contributions, contributions], 1 on the diagonal
 */
export function indexOverlaps(
  deltas: readonly Pick<SparseDelta, 'tensors'>[],
  shape: Shape,
  layout: ParameterLayout,
): number[][] {
  const overlaps = deltas.map((_, i) => deltas.map((__, j) => (i === j ? 1 : 0)));
  for (const { grid, tensor, weight } of comparedTensors(shape, layout)) {
    const messages = deltas.map((delta) => delta.tensors[tensor]!);
    const common = commonIndices(messages, grid);
    for (let i = 0; i < deltas.length; i++) {
      for (let j = 0; j < i; j++) {
        overlaps[i]![j]! += weight * common[i * deltas.length + j]!;
        overlaps[j]![i] = overlaps[i]![j]!;
      }
    }
  }
  return overlaps;
}

/**
 * What `indexOverlaps` says of some pairs, to the bit.
 *
 * @param pairs places in `deltas`
 * @returns in the order of the pairs
 */
export function pairOverlaps(
  deltas: readonly Pick<SparseDelta, 'tensors'>[],
  pairs: readonly (readonly [i: number, j: number])[],
  shape: Shape,
  layout: ParameterLayout,
): number[] {
  const overlaps = pairs.map(() => 0);
  for (const { grid, tensor, weight } of comparedTensors(shape, layout)) {
    const marks = new Uint8Array(grid.length);
    pairs.forEach(([i, j], at) => {
      overlaps[at]! += weight * commonOfTwo(deltas[i]!.tensors[tensor]!, deltas[j]!.tensors[tensor]!, grid, marks);
    });
  }
  return overlaps;
}

/** @param marks [chunk's length], all zero before and after */
function commonOfTwo(own: Tensor, other: Tensor, { count, kept }: ChunkGrid, marks: Uint8Array): number {
  let common = 0;
  for (let start = 0; start < count * kept; start += kept) {
    const end = start + kept;
    if (isSilent(own, start, end) || isSilent(other, start, end)) continue;
    for (let k = start; k < end; k++) marks[own.indices[k]!] = 1;
    for (let k = start; k < end; k++) common += marks[other.indices[k]!]!;
    for (let k = start; k < end; k++) marks[own.indices[k]!] = 0;
  }
  return common;
}

function isSilent({ values }: Tensor, start: number, end: number): boolean {
  for (let k = start; k < end; k++) if (values[k] !== 0) return false;
  return true;
}

/** Indices that i and j < i both keep, over all chunks of a tensor. [contributions, contributions] */
function commonIndices(messages: readonly Tensor[], { count, kept, length }: ChunkGrid): Float64Array {
  const common = new Float64Array(messages.length ** 2);
  const marks = new Uint8Array(length);
  for (let chunk = 0; chunk < count; chunk++) {
    const start = chunk * kept;
    const end = start + kept;
    const loud = [...messages.keys()].filter((i) => messages[i]!.values.subarray(start, end).some((v) => v !== 0));
    for (const i of loud) {
      const own = messages[i]!.indices;
      for (let k = start; k < end; k++) marks[own[k]!] = 1;
      for (const j of loud) {
        if (j >= i) break;
        const { indices } = messages[j]!;
        let both = 0;
        for (let k = start; k < end; k++) both += marks[indices[k]!]!;
        common[i * messages.length + j]! += both;
      }
      for (let k = start; k < end; k++) marks[own[k]!] = 0;
    }
  }
  return common;
}
