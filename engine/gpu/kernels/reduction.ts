/** Sums and the like over the threads of a workgroup. */

/** Threads that each fold a share of the values, when there are many. */
const FOLDERS = 16;

/**
 * WGSL of `name(value, thread)`, which gives every thread all threads' values folded, in the same order whenever it runs.
 * Barriers cost more than reads that all threads share, so it is two steps and no tree.
 *
 * @param threads a multiple of 16
 * @param fold an expression of two
 */
export function workgroupReduction(name: string, threads: number, fold: (a: string, b: string) => string): string {
  const values = `values_of_${name}`;
  const share = threads / FOLDERS;
  return `var<workgroup> ${values}: array<f32, ${threads}>;

fn ${name}(value: f32, thread: u32) -> f32 {
  workgroupBarrier();
  ${values}[thread] = value;
  workgroupBarrier();
  if (thread < ${FOLDERS}u) {
    var folded = ${values}[thread * ${share}u];
    for (var i = 1u; i < ${share}u; i++) { folded = ${fold('folded', `${values}[thread * ${share}u + i]`)}; }
    // Read by nobody else before the barrier: the first of its share.
    ${values}[thread * ${share}u] = folded;
  }
  workgroupBarrier();
  var all = ${values}[0];
  for (var i = 1u; i < ${FOLDERS}u; i++) { all = ${fold('all', `${values}[i * ${share}u]`)}; }
  return all;
}`;
}
