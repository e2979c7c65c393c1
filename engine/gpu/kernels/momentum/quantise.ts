/**
 * One quantiser for the values of a whole message, and their codes: the fast path of `quantise` (core/numerics) and of
 * `quantiseAll` in core/scheme/decoupled-momentum/contributor.ts. Every sum is taken in an order that does not depend on
 * the device's: a workgroup's first, then, by whoever needs it next, those of all workgroups.
 */
import { MAX_SCALE, MIN_SCALE } from '../../../../core/numerics/quantise.ts';
import { BINS, QUANTISER_BYTES } from '../../../../core/scheme/decoupled-momentum/body.ts';
import { f32 } from '../../kernel.ts';
import { workgroupReduction } from '../reduction.ts';

/** A thread a bin. */
const THREADS = BINS;
const MAX_GROUPS = 64;

const TOTAL = workgroupReduction('total', THREADS, (a, b) => `${a} + ${b}`);

/** As in a body, then the code of zero. */
const ZERO_CODE = QUANTISER_BYTES / 4;
export const QUANTISER_SCRATCH_BYTES = QUANTISER_BYTES + 4;

/** Workgroups of each kernel but the last, which has one. */
export function quantiseGroups(count: number): number {
  return Math.min(MAX_GROUPS, Math.ceil(count / THREADS));
}

/** Of each workgroup: the sum of its values, how many are zero, the sum of squares; then the sum and count of each bin. */
export function sumsBytes(count: number): number {
  return 4 * quantiseGroups(count) * (3 + 2 * BINS);
}

/** The kernels in order, each of `count` values. */
export function quantiseCodes(count: number): { moments: string; spread: string; encode: string; table: string } {
  const groups = quantiseGroups(count);
  const atZeros = groups;
  const atSquares = 2 * groups;
  const atBins = 3 * groups;
  const ENTRY = `@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32)`;
  const bindSums = '@group(0) @binding(0) var<storage, read_write> sums: array<f32>;';
  const bindQuantiser = '@group(0) @binding(1) var<storage, read_write> quantiser: array<f32>;';
  const bindValues = '@group(0) @binding(2) var<storage, read> values: array<f32>;';
  const eachValue = (body: string): string => `
  for (var i = group.x * ${THREADS}u + thread; i < ${count}u; i += ${groups * THREADS}u) {
    let value = values[i];
    ${body}
  }`;
  const ofAllGroups = /* wgsl */ `
${TOTAL}

fn of_all_groups(first: u32, thread: u32) -> f32 {
  return total(select(0.0, sums[first + min(thread, ${groups - 1}u)], thread < ${groups}u), thread);
}

fn live_values(thread: u32) -> f32 {
  return ${f32(count)} - of_all_groups(${atZeros}u, thread);
}
`;
  return {
    moments: /* wgsl */ `${bindSums}
@group(0) @binding(1) var<storage, read> values: array<f32>;
${TOTAL}

${ENTRY} {
  var sum = 0.0;
  var zeros = 0.0;
  ${eachValue('sum += value; zeros += select(0.0, 1.0, value == 0.0);')}
  sum = total(sum, thread);
  zeros = total(zeros, thread);
  if (thread == 0u) {
    sums[group.x] = sum;
    sums[${atZeros}u + group.x] = zeros;
  }
}
`,

    spread: /* wgsl */ `${bindSums}
${bindQuantiser}
${bindValues}
${ofAllGroups}

${ENTRY} {
  let live = live_values(thread);
  let shift = of_all_groups(0u, thread) / max(live, 1.0);
  var squares = 0.0;
  ${eachValue('let distance = select(value - shift, 0.0, value == 0.0); squares += distance * distance;')}
  squares = total(squares, thread);
  if (thread == 0u) {
    sums[${atSquares}u + group.x] = squares;
    if (group.x == 0u) { quantiser[0] = shift; }
  }
}
`,

    encode: /* wgsl */ `${bindSums}
${bindQuantiser}
${bindValues}
@group(0) @binding(3) var<storage, read_write> picks: array<u32>;
${ofAllGroups}

const NO_BIN = ${BINS}u;
var<workgroup> distances: array<f32, ${THREADS}>;
var<workgroup> codes: array<u32, ${THREADS}>;

fn code_of(distance: f32, scale: f32) -> u32 {
  return u32(round(clamp(distance / scale + ${f32(BINS / 2)}, 0.0, ${f32(BINS - 1)})));
}

${ENTRY} {
  let shift = quantiser[0];
  let live = live_values(thread);
  let width = 6.0 * sqrt(of_all_groups(${atSquares}u, thread) / max(live - 1.0, 1.0)) / ${f32(BINS)};
  let scale = select(1.0, width, live > 1.0 && width >= ${f32(MIN_SCALE)} && width <= ${f32(MAX_SCALE)});
  if (thread == 0u && group.x == 0u) {
    quantiser[1] = scale;
    quantiser[${ZERO_CODE}] = f32(code_of(-shift, scale));
  }
  // Values go through the memory of the workgroup in tiles, of which each thread adds up its bin's.
  var sum = 0.0;
  var entries = 0.0;
  for (var tile = group.x * ${THREADS}u; tile < ${count}u; tile += ${groups * THREADS}u) {
    let i = tile + thread;
    codes[thread] = NO_BIN;
    if (i < ${count}u) {
      let value = values[i];
      let code = code_of(value - shift, scale);
      picks[i] |= code << 16u;
      distances[thread] = value - shift;
      codes[thread] = select(code, NO_BIN, value == 0.0);
    }
    workgroupBarrier();
    for (var other = 0u; other < ${THREADS}u; other++) {
      let own = codes[other] == thread;
      sum += select(0.0, distances[other], own);
      entries += select(0.0, 1.0, own);
    }
    workgroupBarrier();
  }
  sums[${atBins}u + group.x * ${BINS}u + thread] = sum;
  sums[${atBins + groups * BINS}u + group.x * ${BINS}u + thread] = entries;
}
`,

    // The reference's quantiser has no exact zero, and a silent chunk must stay silent: so where there are zeros, the bin
    // that zero falls in decodes to exactly zero.
    table: /* wgsl */ `${bindSums}
${bindQuantiser}
${ofAllGroups}

@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) thread: u32) {
  let zeros = of_all_groups(${atZeros}u, thread);
  var sum = 0.0;
  var entries = 0.0;
  for (var other = 0u; other < ${groups}u; other++) {
    sum += sums[${atBins}u + other * ${BINS}u + thread];
    entries += sums[${atBins + groups * BINS}u + other * ${BINS}u + thread];
  }
  let mean = sum / max(entries, 1.0);
  let is_zeros = zeros > 0.0 && f32(thread) == quantiser[${ZERO_CODE}];
  quantiser[2u + thread] = select(mean, -quantiser[0], is_zeros);
}
`,
  };
}
