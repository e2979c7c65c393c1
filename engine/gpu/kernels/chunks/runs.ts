/** The tensors of a model as few runs of equal chunks, each a dispatch of the kernels that take a workgroup a chunk. */
import type { ParameterSpec } from '../../../../core/model/layout.ts';
import type { ChunkGrid } from '../../../../core/numerics/chunks.ts';

/** Where a parameter tensor's values lie on the device. */
export interface DeviceTensor {
  readonly buffer: GPUBuffer;
  /** First element inside the buffer; several tensors may share one, back to back. */
  readonly offset: number;
  readonly spec: ParameterSpec;
}

/** Tensors one after another, in the layout and in a buffer, whose chunks together are one grid. */
export interface ChunkRun {
  readonly buffer: GPUBuffer;
  /** First element inside the buffer. */
  readonly start: number;
  /** Of the first tensor; `count` is of all. */
  readonly grid: ChunkGrid;
  /** Elements. */
  readonly size: number;
  /** First chunk in the message. */
  readonly firstChunk: number;
  /** First kept coefficient in the message. */
  readonly firstPick: number;
}

/** @param grids of the tensors */
export function chunkRuns(tensors: readonly DeviceTensor[], grids: readonly ChunkGrid[]): ChunkRun[] {
  const runs: ChunkRun[] = [];
  let firstChunk = 0;
  let firstPick = 0;
  tensors.forEach(({ buffer, offset, spec: { size } }, i) => {
    const grid = grids[i]!;
    const last = runs.at(-1);
    if (last && last.buffer === buffer && last.start + last.size === offset && alike(last.grid, grid)) {
      const joined = { ...last.grid, count: last.grid.count + grid.count };
      runs[runs.length - 1] = { ...last, grid: joined, size: last.size + size };
    } else {
      runs.push({ buffer, start: offset, grid, size, firstChunk, firstPick });
    }
    firstChunk += grid.count;
    firstPick += grid.count * grid.kept;
  });
  return runs;
}

function alike(a: ChunkGrid, b: ChunkGrid): boolean {
  return a.rows === b.rows && a.columns === b.columns && a.stride === b.stride && a.kept === b.kept;
}
