/** The k entries of largest magnitude, with ties decided, so that every engine keeps the same ones. */

/**
 * Indices of the k largest |value|; of equal magnitudes the lower index wins. Quick when k is much smaller than the
 * number of values.
 *
 * @param values finite, at most 65,536
 * @returns [k] ascending
 * @throws RangeError when there are fewer than k values
 */
export function topK(values: Float32Array, k: number): Uint16Array<ArrayBuffer> {
  if (k > values.length) throw new RangeError(`cannot keep ${k} of ${values.length} values`);
  // Descending by magnitude, of equal ones ascending by index: a newcomer goes behind its equals.
  const indices = new Uint16Array(k);
  const magnitudes = new Float64Array(k);
  let held = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!);
    if (held === k && !(magnitude > magnitudes[k - 1]!)) continue;
    let place = held < k ? held++ : k - 1;
    for (; place > 0 && magnitudes[place - 1]! < magnitude; place--) {
      magnitudes[place] = magnitudes[place - 1]!;
      indices[place] = indices[place - 1]!;
    }
    magnitudes[place] = magnitude;
    indices[place] = i;
  }
  return indices.sort();
}
