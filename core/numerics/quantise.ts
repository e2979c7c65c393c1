/**
 * The reference's quantiser (templar compress.py): uniform bins around the mean over ± 3 standard deviations, decoded
 * through a table of what each bin really held on average.
 */

/** The range of the bins in standard deviations. */
const RANGE = 6;
/** Receivers refuse a scale outside of these (templar comms.py). */
export const MIN_SCALE = 1e-12;
export const MAX_SCALE = 1e4;

/** Everything a receiver needs to decode codes. */
export interface Quantiser {
  /** Mean of the values, fp32. */
  readonly shift: number;
  /** Width of a bin, fp32. */
  readonly scale: number;
  /** [bins] mean of value - shift over each bin, 0 for an empty one. */
  readonly lookup: Float32Array<ArrayBuffer>;
}

export interface Quantised extends Quantiser {
  /** A bin number for each value. */
  readonly codes: Uint8Array<ArrayBuffer>;
}

/** Above 2^51 the spacing of doubles is 1: adding and subtracting rounds to the nearest integer, half to even. */
const ROUNDER = 1.5 * 2 ** 52;

/** Nearest integer, a half to the even one. |x| < 2^51. */
export function roundHalfEven(x: number): number {
  return x + ROUNDER - ROUNDER;
}

/** The bin of a value: clamp(round((value - shift) / scale + bins / 2), 0, bins - 1). */
export function binOf(value: number, quantiser: Quantiser): number {
  const bins = quantiser.lookup.length;
  const place = (value - quantiser.shift) / quantiser.scale + bins / 2;
  return roundHalfEven(Math.min(bins - 1, Math.max(0, place)));
}

/** What each code decodes to: fround(lookup + shift). [bins] */
export function decodingTable(quantiser: Quantiser): Float32Array<ArrayBuffer> {
  return quantiser.lookup.map((centre) => centre + quantiser.shift);
}

/**
 * Sums are taken in double precision in the order given; shift, scale and lookup are rounded to fp32 once.
 *
 * @param values finite
 * @param bins 2 … 256
 */
export function quantise(values: Float32Array, bins: number): Quantised {
  const count = values.length;
  let sum = 0;
  for (const value of values) sum += value;
  const shift = Math.fround(count === 0 ? 0 : sum / count);
  let squares = 0;
  for (const value of values) squares += (value - shift) * (value - shift);
  const width = Math.fround((RANGE * Math.sqrt(squares / (count - 1))) / bins);
  // The reference takes 1 for a width of zero or none (one value); a width that receivers refuse is as good as zero.
  const scale = width >= MIN_SCALE && width <= MAX_SCALE ? width : 1;

  const lookup = new Float32Array(bins);
  const quantiser = { shift, scale, lookup };
  const codes = new Uint8Array(count);
  const sums = new Float64Array(bins);
  const counts = new Uint32Array(bins);
  for (let i = 0; i < count; i++) {
    const code = binOf(values[i]!, quantiser);
    codes[i] = code;
    sums[code]! += values[i]! - shift;
    counts[code]!++;
  }
  for (let bin = 0; bin < bins; bin++) lookup[bin] = counts[bin] === 0 ? 0 : sums[bin]! / counts[bin]!;
  return { ...quantiser, codes };
}
