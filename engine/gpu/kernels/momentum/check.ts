/**
 * Looks at a gradient before anything is changed: notes the number of the first parameter whose momentum would not be a
 * finite number of sensible size. By bits, since WGSL lets a device assume that no float is infinite or NaN.
 */
import { MAX_MOMENTUM } from '../../../../core/scheme/decoupled-momentum/state.ts';
import { f32 } from '../../kernel.ts';
import { UNIFORMS } from './chunk-workgroup.ts';

export const CHECK_THREADS = 256;

/** What is noted while nothing was found. */
export const NOTHING_FOUND = 0xffffffff;

export const CHECK_CODE = /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read> momentum: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<u32>;
@group(0) @binding(4) var<storage, read_write> found: atomic<u32>;

const EXPONENT = 0x7f800000u;

@compute @workgroup_size(${CHECK_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < run.size; i += groups.x * ${CHECK_THREADS}u) {
    let bits = gradient[run.gradient + i];
    var bad = (bits & EXPONENT) == EXPONENT;
    if (!bad) {
      let folded = window.decay * momentum[i] + window.step * bitcast<f32>(bits);
      bad = (bitcast<u32>(folded) & 0x7fffffffu) > bitcast<u32>(${f32(MAX_MOMENTUM)});
    }
    if (bad) { atomicMin(&found, run.parameter + i); }
  }
}
`;
