/**
 * Many messages to one sparse step (SparseLoCo, arXiv 2508.15706; Covenant-72B, arXiv 2603.08163; reference: templar 2.1
 * neurons.py).
 *
 * Arithmetic, which is part of the protocol, tensor by tensor: a message's norm is that of its values in the tensor,
 * squares summed in double precision in their order; it counts with the factor min(1, m / (norm + 1e-8)), m being the
 * lower median of the norms. A coordinate is the sum of factor times value in double precision, in the order of
 * messages; divided by the number of messages, or of those that sent it (a zero is not sent); times α; rounded to fp32. What rounds to zero or
 * a subnormal number is left out.
 */
import type { SparseStep } from '../../lockstep/sparse-step.ts';
import type { ChunkGrid } from '../../numerics/chunks.ts';
import { lowerMedians } from '../../numerics/median.ts';
import type { SparseLocoParameters } from '../../protocol/manifest.ts';
import type { SparseDelta } from '../scheme.ts';
import { MIN_NORMAL } from './body.ts';

/** The reference's guard against division by zero. */
const NORM_GUARD = 1e-8;

/** Euclidean norm of a message's values in each tensor. */
function tensorNorms({ tensors }: SparseDelta): number[] {
  return tensors.map(({ values }) => {
    let squares = 0;
    for (const value of values) squares += value * value;
    return Math.sqrt(squares);
  });
}

/** For each tensor the lower median of the messages' norms; empty when there is no message. */
export function medianNorms(deltas: readonly SparseDelta[]): number[] {
  return lowerMedians(deltas.map(tensorNorms));
}

export interface AggregateOptions {
  /** Parameters. */
  readonly total: number;
  /** The chunks of every tensor. */
  readonly grids: readonly ChunkGrid[];
  readonly mean: SparseLocoParameters['mean'];
  /** α, rounded to fp32. */
  readonly learningRate: number;
  /** For each tensor the norm that messages are clipped to, instead of their median. */
  readonly clipNorms: readonly number[] | null;
}

/** @returns a step that moves nothing when there is no message */
export function aggregate(
  deltas: readonly SparseDelta[],
  { total, grids, mean, learningRate, clipNorms }: AggregateOptions,
): SparseStep {
  const alpha = Math.fround(learningRate);
  const kept = grids.reduce((sum, grid) => sum + grid.count * grid.kept, 0);
  const most = Math.min(total, deltas.length * kept);
  const positions = new Uint32Array(most);
  const values = new Float32Array(most);
  const clip = clipNorms ?? medianNorms(deltas);
  const norms = deltas.map(tensorNorms);
  let found = 0;
  grids.forEach((grid, tensor) => {
    const factors = norms.map((of) => Math.min(1, clip[tensor]! / (of[tensor]! + NORM_GUARD)));
    const messages = deltas.map((delta) => delta.tensors[tensor]!);
    // A row of chunks is a run of the flat vector, so coordinates come out ascending.
    const bandLength = grid.rows * grid.stride;
    const sums = new Float64Array(bandLength);
    const senders = new Uint16Array(bandLength);
    for (let first = 0, at = grid.offset; first < grid.count; first += grid.across, at += bandLength) {
      sums.fill(0);
      senders.fill(0);
      messages.forEach((message, i) => addBand(message, factors[i]!, grid, first, sums, senders));
      for (let i = 0; i < bandLength; i++) {
        const moved = Math.fround(alpha * (sums[i]! / (mean === 'senders' ? senders[i]! : deltas.length)));
        // Not a number where nobody sent.
        if (!(Math.abs(moved) >= MIN_NORMAL)) continue;
        positions[found] = at + i;
        values[found] = moved;
        found++;
      }
    }
  });
  return {
    kind: 'sparse',
    learningRate: alpha,
    total,
    positions: positions.slice(0, found),
    values: values.slice(0, found),
    bodies: deltas.map(({ body }) => body),
  };
}

/** Adds a message's values in the row of chunks that begins with `first`. @param sums, senders [rows, stride] */
function addBand(
  { indices, values }: SparseDelta['tensors'][number],
  factor: number,
  { across, kept, columns, stride }: ChunkGrid,
  first: number,
  sums: Float64Array,
  senders: Uint16Array,
): void {
  for (let right = 0; right < across; right++) {
    const start = (first + right) * kept;
    for (let i = start; i < start + kept; i++) {
      const value = values[i]!;
      if (value === 0) continue;
      const row = Math.floor(indices[i]! / columns);
      const at = row * stride + right * columns + (indices[i]! - row * columns);
      sums[at]! += factor * value;
      senders[at]!++;
    }
  }
}
