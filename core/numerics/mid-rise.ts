/**
 * A mid-rise quantiser: uniform bins over ± 3 root mean squares with an edge at zero, so that no value loses its sign
 * however few levels there are. (The reference's, `quantise.ts`, is mid-tread: at 4 levels a bin straddles zero.) Codes
 * decode through a table of what each bin really held on average.
 */
import { MAX_SCALE, MIN_SCALE, roundHalfEven } from './quantise.ts';

/** The range of the bins in root mean squares. */
const RANGE = 6;

/** Everything a receiver needs to decode codes. */
export interface MidRiseQuantiser {
  /** Width of a bin, fp32. */
  readonly scale: number;
  /** [levels] mean of the values in each bin, 0 for an empty one. */
  readonly lookup: Float32Array<ArrayBuffer>;
}

/** clamp(round(value / scale + (levels - 1) / 2), 0, levels - 1): below the middle for a negative value alone. */
export function midRiseCode(value: number, scale: number, levels: number): number {
  return roundHalfEven(Math.min(levels - 1, Math.max(0, value / scale + (levels - 1) / 2)));
}

/**
 * The width of the bins for values of so many squares: 1 where receivers would refuse it.
 *
 * @param squares sum of the squares of `count` values
 */
export function midRiseScale(squares: number, count: number, levels: number): number {
  const width = Math.fround((RANGE * Math.sqrt(squares / count)) / levels);
  return width >= MIN_SCALE && width <= MAX_SCALE ? width : 1;
}

/**
 * Sums are taken in double precision in the order given; scale and lookup are rounded to fp32 once.
 *
 * @param values finite
 * @param levels even, at most 256
 * @returns with a code for each value
 */
export function quantiseMidRise(
  values: Float32Array,
  levels: number,
): MidRiseQuantiser & { readonly codes: Uint8Array<ArrayBuffer> } {
  let squares = 0;
  for (const value of values) squares += value * value;
  const scale = midRiseScale(squares, values.length, levels);
  const codes = new Uint8Array(values.length);
  const sums = new Float64Array(levels);
  const counts = new Uint32Array(levels);
  for (let i = 0; i < values.length; i++) {
    const code = midRiseCode(values[i]!, scale, levels);
    codes[i] = code;
    sums[code]! += values[i]!;
    counts[code]!++;
  }
  return { scale, lookup: Float32Array.from(sums, (sum, bin) => (counts[bin] === 0 ? 0 : sum / counts[bin]!)), codes };
}
