import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cosPi } from './cosine.ts';
import { createBlockTransform, dctBasis, MAX_DCT_LENGTH } from './dct.ts';
import { createRandom, seedFrom } from './prng.ts';

const noise = (length: number, seed: string): Float32Array => {
  const random = createRandom(seedFrom(seed));
  return Float32Array.from({ length }, () => random.uniform() * 2 - 1);
};

/** The textbook formula, straight from Math.cos. */
function oracle(block: Float32Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  const scale = (k: number, n: number): number => Math.sqrt((k === 0 ? 1 : 2) / n);
  for (let u = 0; u < rows; u++) {
    for (let v = 0; v < columns; v++) {
      let sum = 0;
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          sum +=
            block[y * columns + x]! *
            Math.cos((Math.PI * (2 * y + 1) * u) / (2 * rows)) *
            Math.cos((Math.PI * (2 * x + 1) * v) / (2 * columns));
        }
      }
      out[u * columns + v] = sum * scale(u, rows) * scale(v, columns);
    }
  }
  return out;
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

const SHAPES = [
  [1, 1],
  [1, 4],
  [1, 64],
  [7, 13],
  [16, 64],
  [64, 64],
  [5, 1],
] as const;

describe('cosPi', () => {
  it('agrees with Math.cos to the last bits', () => {
    let worst = 0;
    for (let denominator = 1; denominator <= 200; denominator++) {
      for (let numerator = -denominator; numerator <= 5 * denominator; numerator++) {
        const error = cosPi(numerator, denominator) - Math.cos((Math.PI * numerator) / denominator);
        worst = Math.max(worst, Math.abs(error));
      }
    }
    expect(worst).toBeLessThan(4e-15);
  });

  it('is exact where the cosine is, and symmetric', () => {
    expect([0, 1, 2, 3, 4, 5].map((quarter) => cosPi(quarter, 2) + 0)).toEqual([1, 0, -1, 0, 1, 0]);
    for (let i = 0; i <= 128; i++) {
      expect(cosPi(i, 128) + cosPi(128 - i, 128)).toBe(0);
      expect(cosPi(256 - i, 128)).toBe(cosPi(i, 128));
    }
  });
});

describe('dctBasis', () => {
  it.each([1, 2, 3, 16, 63, 64])('of length %i is orthonormal', (n) => {
    const basis = dctBasis(n);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        let dot = 0;
        for (let i = 0; i < n; i++) dot += basis[a * n + i]! * basis[b * n + i]!;
        expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-6);
      }
    }
  });

  it('is frozen bit for bit: every peer must have the same', () => {
    const hash = createHash('sha256');
    for (let n = 1; n <= MAX_DCT_LENGTH; n++) hash.update(dctBasis(n));
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"712ef2bf35d3c90a5d733bac3de19ff9b77c7a8d92c6e5a3901a5eeb138c8501"`,
    );
  });

  it('refuses other lengths', () => {
    for (const n of [0, 65, 1.5]) expect(() => dctBasis(n)).toThrow(RangeError);
  });
});

describe('createBlockTransform', () => {
  it('has the golden vector (reference: templar compress.py)', () => {
    const out = new Float32Array(4);
    createBlockTransform(1, 4).forward(Float32Array.of(1, 2, 3, 4), out);
    expect(distance(out, [5, -2.230442, 0, -0.158513])).toBeLessThan(1e-6);
  });

  it.each(SHAPES)('of %i x %i agrees with the textbook formula', (rows, columns) => {
    const block = noise(rows * columns, 'oracle');
    const out = new Float32Array(rows * columns);
    createBlockTransform(rows, columns).forward(block, out);
    expect(distance(out, oracle(block, rows, columns))).toBeLessThan(2e-6);
  });

  it.each(SHAPES)('of %i x %i is undone by its inverse and keeps the norm', (rows, columns) => {
    const block = noise(rows * columns, 'inverse');
    const transform = createBlockTransform(rows, columns);
    const out = new Float32Array(rows * columns);
    transform.forward(block, out);
    const norm = (values: Float32Array): number => Math.hypot(...values);
    expect(norm(out)).toBeCloseTo(norm(block), 4);
    transform.inverse(out, out);
    expect(distance(out, block)).toBeLessThan(2e-6);
  });

  it('gives the same bits whether zero rows are left out or summed', () => {
    const rows = 8;
    const columns = 12;
    const sparse = noise(rows * columns, 'sparse').map((value, i) => (i % 17 === 3 ? value : 0));
    const out = new Float32Array(rows * columns);
    createBlockTransform(rows, columns).inverse(sparse, out);
    const rowBasis = dctBasis(rows);
    const columnBasis = dctBasis(columns);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let u = 0; u < rows; u++) {
          let inner = 0;
          for (let v = 0; v < columns; v++) inner += sparse[u * columns + v]! * columnBasis[v * columns + x]!;
          sum += inner * rowBasis[u * rows + y]!;
        }
        expect(out[y * columns + x]).toBe(Math.fround(sum));
      }
    }
  });

  it('turns nothing into nothing', () => {
    const out = new Float32Array(12).fill(5);
    createBlockTransform(3, 4).inverse(new Float32Array(12), out);
    expect(out).toEqual(new Float32Array(12));
  });
});
