/**
 * Many messages to one sign step (Gauntlet, arXiv 2505.21684; reference: templar v0.2.85 comms.py and miner.py).
 *
 * Arithmetic, which is part of the protocol, chunk by chunk: a sender's kept values are divided by their Euclidean
 * length (squares summed in double precision in index order; a chunk of length 0 is as if not sent); a coefficient is
 * the sum, in double precision and in the order of senders, over those who sent it, divided by their number and rounded
 * to fp32; then the inverse DCT as `core/numerics/dct.ts` defines it. A chunk in which no coefficient is non-zero is
 * not touched; in all others a parameter decreases where Δ ≥ 0 and increases where Δ < 0. Dividing by the length itself
 * and not, as the reference, by the length + 1e-8 makes a rescaled message vote exactly as before.
 */
import { bitSet } from '../../lockstep/bits.ts';
import { touchChunk } from '../../lockstep/step-codec.ts';
import type { SignStep } from '../../lockstep/sign-step.ts';
import { chunkRowStart, type ChunkGrid } from '../../numerics/chunks.ts';
import { createBlockTransform } from '../../numerics/dct.ts';
import type { SparseDelta } from '../scheme.ts';

/**
 * @param total parameters
 * @param grids the chunks of every tensor
 * @param learningRate rounded to fp32
 * @returns a step that moves nothing when there is no message
 */
export function aggregate(
  total: number,
  grids: readonly ChunkGrid[],
  deltas: readonly SparseDelta[],
  learningRate: number,
): SignStep {
  const descend = bitSet(total);
  const touched = bitSet(total);
  grids.forEach((grid, tensor) => {
    const messages = deltas.map((delta) => delta.tensors[tensor]!);
    const transform = createBlockTransform(grid.rows, grid.columns);
    const block = new Float32Array(grid.length);
    const sums = new Float64Array(grid.length);
    const senders = new Uint32Array(grid.length);
    for (let chunk = 0; chunk < grid.count; chunk++) {
      if (!meanCoefficients(messages, grid, chunk, sums, senders, block)) continue;
      transform.inverse(block, block);
      touchChunk(touched, grid, chunk);
      setSigns(descend, grid, chunk, block);
    }
  });
  return { kind: 'sign', learningRate: Math.fround(learningRate), total, descend, touched };
}

/** The mean coefficients of a chunk into `out`; false when all are zero. `sums` and `senders` are scratch memory. */
function meanCoefficients(
  messages: SparseDelta['tensors'],
  { kept }: ChunkGrid,
  chunk: number,
  sums: Float64Array,
  senders: Uint32Array,
  out: Float32Array,
): boolean {
  sums.fill(0);
  senders.fill(0);
  const start = chunk * kept;
  for (const { indices, values } of messages) {
    let squares = 0;
    for (let i = start; i < start + kept; i++) squares += values[i]! * values[i]!;
    const norm = Math.sqrt(squares);
    if (norm === 0) continue;
    for (let i = start; i < start + kept; i++) {
      const index = indices[i]!;
      sums[index]! += values[i]! / norm;
      senders[index]!++;
    }
  }
  let any = false;
  for (let i = 0; i < out.length; i++) {
    const mean = senders[i] === 0 ? 0 : Math.fround(sums[i]! / senders[i]!);
    out[i] = mean;
    if (mean !== 0) any = true;
  }
  return any;
}

/** Sets the bit of every parameter of a chunk whose Δ is not negative. @param delta [rows, columns] */
function setSigns(descend: Uint32Array, grid: ChunkGrid, chunk: number, delta: Float32Array): void {
  for (let row = 0; row < grid.rows; row++) {
    const start = chunkRowStart(grid, chunk, row);
    for (let column = 0; column < grid.columns; column++) {
      const at = start + column;
      if (delta[row * grid.columns + column]! >= 0) descend[at >>> 5]! |= 1 << (at & 31);
    }
  }
}
