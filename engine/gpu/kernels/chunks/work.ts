/** What a window's work adds to the accumulator, as WGSL. */

export interface Work {
  /** The arrays it is computed from, bound as u32: WGSL lets a device assume that no float is infinite or NaN. */
  readonly arrays: readonly string[];
  /** Elements of the arrays, by an expression of the element's number in its run. */
  bits(at: string): readonly string[];
  /** @param values those elements as floats */
  value(values: readonly string[]): string;
}

/** The mean gradient at the size of the step; gradients lie where the caller has them. */
export const GRADIENT_WORK: Work = {
  arrays: ['gradient'],
  bits: (at) => [`gradient[run.start + ${at}]`],
  value: ([gradient]) => `window.step * ${gradient!}`,
};

/** How far local steps have moved the parameters; those of the window are kept in order of the run. */
export const PSEUDO_GRADIENT_WORK: Work = {
  arrays: ['before', 'parameters'],
  bits: (at) => [`before[${at}]`, `parameters[run.start + ${at}]`],
  value: ([before, now]) => `${before!} - ${now!}`,
};

/** Bindings of the work's arrays from number `first` on. */
export function bindWork({ arrays }: Work, first: number): string {
  return arrays.map((name, i) => `@group(0) @binding(${first + i}) var<storage, read> ${name}: array<u32>;`).join('\n');
}

/** The accumulator with the work in it, as an expression of the element's number in its run. */
export function folded(work: Work, at: string): string {
  const values = work.bits(at).map((bits) => `bitcast<f32>(${bits})`);
  return `window.decay * accumulator[${at}] + (${work.value(values)})`;
}
