/**
 * The outer step of a sparse scheme: coordinates and what each moves by, the learning rate already in it. Applying it is
 * one fp32 subtraction per coordinate, so every device arrives at the same bits.
 */

export interface SparseStep {
  readonly kind: 'sparse';
  /** α, an exact fp32 value; the values have it in them. */
  readonly learningRate: number;
  /** Parameters. */
  readonly total: number;
  /** Positions in the flat vector, ascending, distinct. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** What is subtracted at each position: finite, not subnormal. */
  readonly values: Float32Array<ArrayBuffer>;
  /** The messages it is made of, in the order of aggregation: its bytes on the wire. */
  readonly bodies: readonly Uint8Array[];
}

/** Smallest normal fp32 magnitude. */
const MIN_NORMAL = 2 ** -126;

/**
 * θ_i ← fround(θ_i - value) in place at every position; a subnormal result becomes +0, as in `applySignStep`.
 *
 * @param parameters flat fp32 vector of `step.total` elements
 * @throws RangeError when the lengths differ
 */
export function applySparseStep(parameters: Float32Array, step: SparseStep): void {
  if (parameters.length !== step.total) {
    throw new RangeError(`step of ${step.total} parameters applied to ${parameters.length}`);
  }
  const { positions, values } = step;
  for (let i = 0; i < positions.length; i++) {
    const at = positions[i]!;
    const moved = Math.fround(parameters[at]! - values[i]!);
    parameters[at] = Math.abs(moved) < MIN_NORMAL ? 0 : moved;
  }
}
