/**
 * The cosine of a rational multiple of π with the same bits in every JavaScript engine: `Math.cos` may differ in the
 * last bit, additions and multiplications of doubles may not.
 */

const PI = 3.141592653589793;
/** Terms of the Taylor series; the first one left out is below 1e-18 for |x| ≤ π/4. */
const TERMS = 9;

/**
 * cos(π · numerator / denominator), within 2e-16 of the true value.
 *
 * @param numerator integer
 * @param denominator positive integer; both and four times either are exact as doubles
 */
export function cosPi(numerator: number, denominator: number): number {
  const turn = 2 * denominator;
  let a = Math.abs(numerator) % turn;
  if (a > denominator) a = turn - a;
  if (2 * a > denominator) return -acute(denominator - a, denominator);
  return acute(a, denominator);
}

/** 0 ≤ a/denominator ≤ 1/2 */
function acute(a: number, denominator: number): number {
  if (4 * a <= denominator) return cosineSeries((PI * a) / denominator);
  return sineSeries((PI * (denominator - 2 * a)) / (2 * denominator));
}

function cosineSeries(x: number): number {
  const square = x * x;
  let sum = 1;
  for (let n = TERMS; n >= 1; n--) sum = 1 - (square / ((2 * n - 1) * (2 * n))) * sum;
  return sum;
}

function sineSeries(x: number): number {
  const square = x * x;
  let sum = 1;
  for (let n = TERMS; n >= 1; n--) sum = 1 - (square / (2 * n * (2 * n + 1))) * sum;
  return x * sum;
}
