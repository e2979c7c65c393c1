/**
 * Looks at a window's work before anything is changed: notes the number of the first parameter whose accumulator would
 * not be a finite number of sensible size. By bits, since WGSL lets a device assume that no float is infinite or NaN.
 */
import { f32 } from '../../kernel.ts';
import { UNIFORMS } from './chunk-workgroup.ts';
import { bindWork, folded, type Work } from './work.ts';

export const CHECK_THREADS = 256;

/** What is noted while nothing was found. */
export const NOTHING_FOUND = 0xffffffff;

/** @param limit largest magnitude that the accumulator may have */
export function checkCode(work: Work, limit: number): string {
  const infinite = work.bits('i').map((bits) => `(${bits} & EXPONENT) == EXPONENT`);
  return /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read> accumulator: array<f32>;
@group(0) @binding(3) var<storage, read_write> found: atomic<u32>;
${bindWork(work, 4)}

const EXPONENT = 0x7f800000u;

@compute @workgroup_size(${CHECK_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < run.size; i += groups.x * ${CHECK_THREADS}u) {
    var bad = ${infinite.join(' || ')};
    if (!bad) {
      let folded = ${folded(work, 'i')};
      bad = (bitcast<u32>(folded) & 0x7fffffffu) > bitcast<u32>(${f32(limit)});
    }
    if (bad) { atomicMin(&found, run.parameter + i); }
  }
}
`;
}
