/**
 * The orthonormal discrete cosine transform (type II, its inverse type III) of blocks up to 64 x 64, separable.
 *
 * Arithmetic, which is part of the protocol: the basis is computed in double precision and rounded to fp32 once; every
 * output of a one-dimensional pass is a sum of double-precision products taken in ascending order of the summed index;
 * the result between the two passes stays in double precision; the final result is rounded to fp32 once. Terms whose
 * coefficient is zero may be left out, which changes no bit. JavaScript never fuses or reorders these operations.
 */
import { cosPi } from './cosine.ts';

/** Longest edge of a block. */
export const MAX_DCT_LENGTH = 64;

const bases = new Map<number, Float32Array<ArrayBuffer>>();

/**
 * The basis of length n, row k = frequency: √(1/n) for k = 0, else √(2/n)·cos(π(2i + 1)k / 2n). Callers must not write
 * to it.
 *
 * @returns [n, n] row-major, fp32
 * @throws RangeError unless n is an integer in 1 … 64
 */
export function dctBasis(n: number): Float32Array<ArrayBuffer> {
  if (!Number.isInteger(n) || n < 1 || n > MAX_DCT_LENGTH) throw new RangeError(`no DCT basis of length ${n}`);
  let basis = bases.get(n);
  if (!basis) {
    basis = new Float32Array(n * n);
    const first = Math.sqrt(1 / n);
    const other = Math.sqrt(2 / n);
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < n; i++) basis[k * n + i] = k === 0 ? first : other * cosPi((2 * i + 1) * k, 2 * n);
    }
    bases.set(n, basis);
  }
  return basis;
}

/** Transforms of blocks of one shape. Not re-entrant: it owns its scratch memory. */
export interface BlockTransform {
  /** @param block [rows, columns] values @param out [rows, columns] coefficients, may be `block` */
  forward(block: Float32Array, out: Float32Array): void;
  /** Quicker the more rows of coefficients are zero. @param out [rows, columns] values, may be `coefficients` */
  inverse(coefficients: Float32Array, out: Float32Array): void;
}

/** @throws RangeError unless both edges are integers in 1 … 64 */
export function createBlockTransform(rows: number, columns: number): BlockTransform {
  // fp32 values held as doubles, which spares a conversion in the inner loop.
  const rowBasis = Float64Array.from(dctBasis(rows));
  const columnBasis = Float64Array.from(dctBasis(columns));
  const input = new Float64Array(rows * columns);
  const middle = new Float64Array(rows * columns);
  const liveBasis = new Float64Array(rows * rows);
  const line = new Float64Array(columns);
  const liveRows = new Uint8Array(rows);

  return {
    forward(block, out) {
      input.set(block);
      multiplyTransposed(input, rows, columnBasis, columns, columns, middle);
      multiplyTransposed(middle, columns, rowBasis, rows, rows, out);
    },

    inverse(coefficients, out) {
      let live = 0;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          if (coefficients[row * columns + column] !== 0) {
            liveRows[live++] = row;
            break;
          }
        }
      }
      // First along the rows, for rows with a coefficient only; `middle` is [columns, live].
      for (let i = 0; i < live; i++) {
        const start = liveRows[i]! * columns;
        line.fill(0);
        for (let k = 0; k < columns; k++) {
          const coefficient = coefficients[start + k]!;
          if (coefficient === 0) continue;
          for (let column = 0; column < columns; column++) {
            line[column]! += coefficient * columnBasis[k * columns + column]!;
          }
        }
        for (let column = 0; column < columns; column++) middle[column * live + i] = line[column]!;
        for (let row = 0; row < rows; row++) liveBasis[row * live + i] = rowBasis[liveRows[i]! * rows + row]!;
      }
      multiplyTransposed(middle, columns, liveBasis, rows, live, out);
    },
  };
}

/**
 * out[b, a] = Σ_i left[a, i] · right[b, i], i ascending. Four outputs at a time, each with its own sum, so the order of
 * no sum changes.
 *
 * @param left [leftRows, length] @param right [rightRows, length] @param out [rightRows, leftRows]
 */
function multiplyTransposed(
  left: Float64Array,
  leftRows: number,
  right: Float64Array,
  rightRows: number,
  length: number,
  out: Float64Array | Float32Array,
): void {
  for (let a = 0; a < leftRows; a++) {
    const leftStart = a * length;
    let b = 0;
    for (; b + 3 < rightRows; b += 4) {
      let i0 = b * length;
      let i1 = i0 + length;
      let i2 = i1 + length;
      let i3 = i2 + length;
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let i = leftStart; i < leftStart + length; i++) {
        const value = left[i]!;
        sum0 += value * right[i0++]!;
        sum1 += value * right[i1++]!;
        sum2 += value * right[i2++]!;
        sum3 += value * right[i3++]!;
      }
      const o = b * leftRows + a;
      out[o] = sum0;
      out[o + leftRows] = sum1;
      out[o + 2 * leftRows] = sum2;
      out[o + 3 * leftRows] = sum3;
    }
    for (; b < rightRows; b++) {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += left[leftStart + i]! * right[b * length + i]!;
      out[b * leftRows + a] = sum;
    }
  }
}
