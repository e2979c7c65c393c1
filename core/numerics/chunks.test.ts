import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkGrid, gatherChunk, keptOf, largestDivisor, scatterChunk } from './chunks.ts';

const spec = (shape: number[], offset = 0) => ({
  name: 't',
  shape,
  offset,
  size: shape.reduce((a, b) => a * b, 1),
});

describe('chunkGrid', () => {
  it('cuts a matrix into blocks with the largest divisors as edges', () => {
    expect(chunkGrid(spec([1344, 512]), 64, 32)).toMatchObject({
      rows: 64,
      columns: 64,
      length: 4096,
      count: 168,
      kept: 32,
    });
    expect(chunkGrid(spec([6, 10]), 4, 32)).toMatchObject({
      rows: 3,
      columns: 2,
      length: 6,
      across: 5,
      count: 10,
      kept: 6,
    });
    expect(chunkGrid(spec([67, 71]), 64, 32)).toMatchObject({ rows: 1, columns: 1, length: 1, count: 4757, kept: 1 });
  });

  it('cuts a vector into runs', () => {
    expect(chunkGrid(spec([384]), 64, 32)).toMatchObject({ rows: 1, columns: 64, count: 6, kept: 32 });
    expect(chunkGrid(spec([97]), 64, 32)).toMatchObject({ rows: 1, columns: 1, count: 97, kept: 1 });
    expect(chunkGrid(spec([61]), 64, 2)).toMatchObject({ columns: 61, count: 1, kept: 2 });
  });

  it('refuses tensors of other ranks', () => {
    expect(() => chunkGrid(spec([2, 2, 2]), 64, 32)).toThrow(RangeError);
    expect(() => chunkGrid(spec([]), 64, 32)).toThrow(RangeError);
  });
});

describe('keptOf', () => {
  it('is even and at least 2 where there are two', () => {
    expect([1, 2, 3, 5, 64, 4096].map((length) => keptOf(length, 32))).toEqual([1, 2, 2, 4, 32, 32]);
    expect([1, 2, 3, 33, 5000].map((topK) => keptOf(4096, topK))).toEqual([2, 2, 2, 32, 4096]);
  });
});

describe('largestDivisor', () => {
  it('divides, fits, and nothing larger does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 64 }), (n, limit) => {
        const divisor = largestDivisor(n, limit);
        expect(n % divisor).toBe(0);
        for (let d = divisor + 1; d <= Math.min(n, limit); d++) expect(n % d).not.toBe(0);
      }),
    );
  });
});

describe('gatherChunk and scatterChunk', () => {
  it('number a block row by row', () => {
    const grid = chunkGrid(spec([4, 4], 1), 2, 2);
    const flat = Float32Array.from({ length: 17 }, (_, i) => i);
    const block = new Float32Array(4);
    gatherChunk(flat, grid, 3, block);
    expect([...block]).toEqual([11, 12, 15, 16]);
  });

  it('cover every element exactly once and undo one another', () => {
    const dimension = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(
        fc.array(dimension, { minLength: 1, maxLength: 2 }),
        fc.integer({ min: 2, max: 8 }),
        (shape, edge) => {
          const offset = 3;
          const tensor = spec(shape, offset);
          const grid = chunkGrid(tensor, edge, 4);
          const flat = Float32Array.from({ length: offset + tensor.size + 2 }, (_, i) => i);
          const copy = new Float32Array(flat.length).fill(-1);
          const block = new Float32Array(grid.length);
          const seen: number[] = [];
          for (let chunk = 0; chunk < grid.count; chunk++) {
            gatherChunk(flat, grid, chunk, block);
            seen.push(...block);
            scatterChunk(block, grid, chunk, copy);
          }
          expect(seen.sort((a, b) => a - b)).toEqual([...flat.subarray(offset, offset + tensor.size)]);
          expect([...copy]).toEqual([...flat].map((v, i) => (i >= offset && i < offset + tensor.size ? v : -1)));
        },
      ),
    );
  });
});
