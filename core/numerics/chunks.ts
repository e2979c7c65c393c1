/**
 * How a parameter tensor is cut into chunks: a matrix into blocks, a vector into runs, each edge the largest divisor up
 * to a limit, so that chunks tile exactly (reference: templar compress.py, `get_smaller_split`). A vector counts as a
 * matrix of one row.
 */
import type { ParameterSpec } from '../model/layout.ts';

export interface ChunkGrid {
  /** First element of the tensor in the flat vector. */
  readonly offset: number;
  /** Elements a row of the tensor. */
  readonly stride: number;
  /** Edges of a chunk. */
  readonly rows: number;
  readonly columns: number;
  /** Elements a chunk. */
  readonly length: number;
  /** Chunks side by side. */
  readonly across: number;
  /** Chunks of the tensor, row by row. */
  readonly count: number;
  /** Coefficients kept a chunk: even, except that a chunk of one element keeps it. */
  readonly kept: number;
}

/** The largest divisor of n that is at most `limit`. Both positive integers. */
export function largestDivisor(n: number, limit: number): number {
  let divisor = Math.min(n, limit);
  while (n % divisor !== 0) divisor--;
  return divisor;
}

/** k of a chunk: at most `topK` and its length, rounded down to even but at least 2; 1 where there is but one element. */
export function keptOf(length: number, topK: number): number {
  const kept = Math.min(topK, length);
  return length === 1 ? 1 : Math.max(2, kept - (kept % 2));
}

/**
 * @param edge largest edge of a chunk
 * @param topK coefficients kept a chunk, at most
 * @throws RangeError for a tensor that is neither vector nor matrix
 */
export function chunkGrid(spec: ParameterSpec, edge: number, topK: number): ChunkGrid {
  const [height, width] = spec.shape.length === 1 ? [1, spec.shape[0]!] : spec.shape;
  if (height === undefined || width === undefined || spec.shape.length > 2) {
    throw new RangeError(`${spec.name} has ${spec.shape.length} dimensions; only vectors and matrices have chunks`);
  }
  const rows = largestDivisor(height, edge);
  const columns = largestDivisor(width, edge);
  const length = rows * columns;
  const across = width / columns;
  return {
    offset: spec.offset,
    stride: width,
    rows,
    columns,
    length,
    across,
    count: across * (height / rows),
    kept: keptOf(length, topK),
  };
}

/** Where row `row` of a chunk starts in the flat vector; its `columns` elements follow one another. */
export function chunkRowStart(grid: ChunkGrid, chunk: number, row: number): number {
  const down = Math.floor(chunk / grid.across);
  const right = chunk - down * grid.across;
  return grid.offset + (down * grid.rows + row) * grid.stride + right * grid.columns;
}

/** Copies a chunk out of the flat vector. @param block [rows, columns] */
export function gatherChunk(flat: Float32Array, grid: ChunkGrid, chunk: number, block: Float32Array): void {
  for (let row = 0; row < grid.rows; row++) {
    const start = chunkRowStart(grid, chunk, row);
    for (let column = 0; column < grid.columns; column++) block[row * grid.columns + column] = flat[start + column]!;
  }
}

/** Copies a chunk into the flat vector. @param block [rows, columns] */
export function scatterChunk(block: Float32Array, grid: ChunkGrid, chunk: number, flat: Float32Array): void {
  for (let row = 0; row < grid.rows; row++) {
    const start = chunkRowStart(grid, chunk, row);
    for (let column = 0; column < grid.columns; column++) flat[start + column] = block[row * grid.columns + column]!;
  }
}
