/**
 * The outer step of the sign scheme in its canonical form: one bit a parameter and a mark for each chunk that somebody
 * touched. Applying it is one fp32 subtraction per parameter, so every device arrives at the same bits.
 */

/** A run of consecutive parameters is too coarse for a chunk (a 64 x 64 block), so the touched mark is per parameter. */
export interface SignStep {
  readonly kind: 'sign';
  /** Learning rate η, an exact fp32 value. */
  readonly learningRate: number;
  /** Parameters. */
  readonly total: number;
  /** Bit i (LSB first) is 1 where θ_i decreases by η, 0 where it increases. [ceil(total / 32)] words. */
  readonly descend: Uint32Array;
  /** Bit i is 1 where θ_i moves at all. [ceil(total / 32)] words. */
  readonly touched: Uint32Array;
}

/** Smallest normal fp32 magnitude. */
const MIN_NORMAL = 2 ** -126;

/**
 * θ_i ← fround(θ_i ∓ η) in place for every touched parameter; a subnormal result becomes +0, because a GPU may flush
 * it and then peers would part.
 *
 * @param parameters flat fp32 vector of `step.total` elements
 * @throws RangeError when the lengths differ
 */
export function applySignStep(parameters: Float32Array, step: SignStep): void {
  if (parameters.length !== step.total) {
    throw new RangeError(`step of ${step.total} parameters applied to ${parameters.length}`);
  }
  const { learningRate, descend, touched } = step;
  for (let i = 0; i < step.total; i++) {
    const word = i >>> 5;
    const bit = 1 << (i & 31);
    if ((touched[word]! & bit) === 0) continue;
    const moved = Math.fround(
      (descend[word]! & bit) === 0 ? parameters[i]! + learningRate : parameters[i]! - learningRate,
    );
    parameters[i] = Math.abs(moved) < MIN_NORMAL ? 0 : moved;
  }
}
