/**
 * AdamW on the device that holds parameters and gradients: the fast path of `adamStep`
 * (core/scheme/sparseloco/adamw.ts), which is its oracle. Squares are summed in fp32, in an order that does not depend on
 * the device's: a workgroup's first, then, by whoever needs it next, those of all workgroups.
 */
import type { SparseLocoParameters } from '../../../core/protocol/manifest.ts';
import { f32 } from '../kernel.ts';
import { NOTHING_FOUND } from './chunks/check.ts';
import { workgroupReduction } from './reduction.ts';

export const ADAMW_THREADS = 256;
/** Of a tensor's workgroups that sum squares. */
const MAX_GROUPS = 64;
/** The largest mean gradient that is taken: its squares can be summed in fp32 over any model. */
const MAX_GRADIENT = 1e14;

export function squaresGroups(size: number): number {
  return Math.min(MAX_GROUPS, Math.ceil(size / ADAMW_THREADS));
}

const TOTAL = workgroupReduction('total', ADAMW_THREADS, (a, b) => `${a} + ${b}`);

const UNIFORMS = /* wgsl */ `
struct Part {
  start: u32,
  size: u32,
  parameter: u32,
  first_sum: u32,
}

struct Step {
  scale: f32,
  keep: f32,
  rate: f32,
  correction: f32,
}

@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var<uniform> step: Step;
`;

const ENTRY = /* wgsl */ `@compute @workgroup_size(${ADAMW_THREADS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
)`;

const EACH = `var i = group.x * ${ADAMW_THREADS}u + thread; i < part.size; i += groups.x * ${ADAMW_THREADS}u`;

/**
 * The sum of squares of each workgroup, and the number of the first parameter without a sensible gradient. By bits, since
 * WGSL lets a device assume that no float is infinite or NaN.
 */
export const SQUARES_CODE = /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read> gradient: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> found: atomic<u32>;

const EXPONENT = 0x7f800000u;
${TOTAL}

${ENTRY} {
  var squares = 0.0;
  for (${EACH}) {
    let bits = gradient[part.start + i];
    var bad = (bits & EXPONENT) == EXPONENT;
    if (!bad) {
      let mean = step.scale * bitcast<f32>(bits);
      bad = (bitcast<u32>(mean) & 0x7fffffffu) > bitcast<u32>(${f32(MAX_GRADIENT)});
      squares += mean * mean;
    }
    if (bad) { atomicMin(&found, part.parameter + i); }
  }
  squares = total(squares, thread);
  if (thread == 0u) { sums[part.first_sum + group.x] = squares; }
}
`;

/** The step, in place; none where something was found. @param sums of all parts */
export function adamwCode(
  { beta1, beta2, epsilon, maxGradientNorm }: SparseLocoParameters['inner'],
  sums: number,
): string {
  return /* wgsl */ `${UNIFORMS}
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> sums: array<f32>;
@group(0) @binding(4) var<storage, read> found: array<u32>;
@group(0) @binding(5) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(6) var<storage, read_write> first: array<f32>;
@group(0) @binding(7) var<storage, read_write> second: array<f32>;
${TOTAL}

${ENTRY} {
  var squares = 0.0;
  for (var i = thread; i < ${sums}u; i += ${ADAMW_THREADS}u) { squares += sums[i]; }
  let norm = sqrt(total(squares, thread));
  if (found[0] != ${NOTHING_FOUND}u) { return; }
  let scale = step.scale * select(1.0, ${f32(maxGradientNorm)} / norm, norm > ${f32(maxGradientNorm)});
  for (${EACH}) {
    let clipped = scale * gradient[part.start + i];
    let mean = ${f32(beta1)} * first[i] + ${f32(1 - beta1)} * clipped;
    let square = ${f32(beta2)} * second[i] + ${f32(1 - beta2)} * clipped * clipped;
    first[i] = mean;
    second[i] = square;
    let moved = step.rate * mean / (sqrt(square * step.correction) + ${f32(epsilon)});
    parameters[part.start + i] = step.keep * parameters[part.start + i] - moved;
  }
}
`;
}
